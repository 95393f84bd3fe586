// The PPP side of a call. Input: an octet of settings, and commands (command_stream.h); a chunk is
// a frame from the peer. As no random input would hit our magic number or identifiers, some
// commands answer what was sent last.
#include <array>

#include "controlplane/ppp/call.h"
#include "proto/wire/ppp.h"
#include "tests/fuzz/command_stream.h"
#include "tests/fuzz/property.h"

namespace culvert::fuzz {
namespace {

using wire::Octets;
namespace wppp = wire::ppp;

enum Own : uint8_t {
  kTimer = CommandStream::kFirstOwn,
  kAcknowledge,  // our last Configure-Request
  kRespond,      // to our last Challenge, with 49 octets
  kRespondMd5,   // with 16
  kAccept,
  kAcceptWithoutAddress,
  kReject,
  kTerminate,
  kLowerDown,
  kChallenge,   // AAA goes on with EAP
  kRespondEap,  // to our last EAP Request
  kExpired,     // AAA wants another password
};

constexpr uint32_t kClientAddress = 0x0a4d000a;
constexpr uint32_t kPasswordExpired = 648;
constexpr size_t kMaxEffects = 64;  // of one input; far more than any answer needs

std::shared_ptr<const ppp::PppSettings> MakeSettings(uint8_t bits) {
  auto settings = std::make_shared<ppp::PppSettings>();
  settings->mppe = static_cast<ppp::MppePolicy>(bits % 3);
  settings->gateway_address = 0x0a4d0001;
  settings->dns = {0x08080808};
  settings->server_name = "culvert";
  settings->ipv6 = (bits & 0x20) != 0;
  settings->echo_interval_s = (bits & 0x80) != 0 ? 0 : 5;
  settings->methods = {AuthMethod::kMsChapV2, AuthMethod::kMsChap};
  if (settings->mppe != ppp::MppePolicy::kRequire) {
    settings->methods.insert(settings->methods.end(), {AuthMethod::kChapMd5, AuthMethod::kPap});
  }
  settings->methods.push_back(AuthMethod::kEap);
  settings->auth_retries = 1;
  if ((bits & 0x40) != 0) {
    std::reverse(settings->methods.begin(), settings->methods.end());
  }
  return settings;
}

class Harness {
 public:
  explicit Harness(uint8_t bits)
      : settings_(MakeSettings(bits)),
        call_(
            settings_, [this](std::span<uint8_t> out) { Fill(out); }, &counters_, now_ms_) {}

  void Run(CommandStream commands) {
    call_.Start(now_ms_);
    Take();
    while (!commands.AtEnd()) {
      Do(commands.Next());
      Take();
    }
    call_.OnLowerDown("end of the input", now_ms_);
    Take();
    Require(ended_, "a call whose lower layer is gone has ended");
    Require(!call_.deadline_ms().has_value(), "a call that has ended wants no timer");
  }

 private:
  void Fill(std::span<uint8_t> out) { std::fill(out.begin(), out.end(), ++num_random_); }

  void Do(const CommandStream::Command& command) {
    if (command.IsChunk()) {
      call_.OnFrame(command.chunk, now_ms_);
    } else if (command.IsWait()) {
      now_ms_ += command.wait_ms();
      call_.OnTimer(now_ms_);
    } else {
      DoOwn(command.code);
    }
  }

  void DoOwn(uint8_t code) {
    switch (code) {
      case kTimer:
        now_ms_ = std::max(now_ms_, call_.deadline_ms().value_or(now_ms_));
        call_.OnTimer(now_ms_);
        Require(call_.deadline_ms().value_or(now_ms_ + 1) > now_ms_,
                "a timer that ran does not run again at once");
        return;
      case kAcknowledge:
        return Answer(last_request_, wppp::kConfigureAck);
      case kRespond:
        return Respond(49);
      case kRespondMd5:
        return Respond(16);
      case kAccept:
        return Decide(AuthVerdict::kAccept, kClientAddress);
      case kAcceptWithoutAddress:
        return Decide(AuthVerdict::kAccept, 0);
      case kReject:
        return Decide(AuthVerdict::kReject, 0);
      case kChallenge:
        return Decide(AuthVerdict::kChallenge, 0);
      case kRespondEap:
        return RespondEap();
      case kExpired:
        return Decide(AuthVerdict::kReject, 0, kPasswordExpired);
      case kTerminate:
        return call_.Terminate("terminated", now_ms_);
      case kLowerDown:
        return call_.OnLowerDown("lower layer down", now_ms_);
      default:
        return;
    }
  }

  // Answer gives back a frame of ours with another code.
  void Answer(std::vector<uint8_t> frame, uint8_t code) {
    if (!frame.empty()) {
      frame[2] = code;
      call_.OnFrame(frame, now_ms_);
    }
  }

  void Respond(uint8_t size) {
    if (!last_challenge_.empty()) {
      std::vector<uint8_t> data(1 + size + 5, 'a');  // and a name
      data[0] = size;
      data[size] = 1;  // the flags of MS-CHAP: NT response
      call_.OnFrame(wppp::EmitControl(wppp::kChap, 2, last_challenge_[3], data), now_ms_);
    }
  }

  // RespondEap: Identity, so that it answers the first Request too.
  void RespondEap() {
    if (!last_eap_.empty()) {
      call_.OnFrame(wppp::EmitControl(wppp::kEap, 2, last_eap_[3], std::array<uint8_t, 2>{1, 'a'}),
                    now_ms_);
    }
  }

  void Decide(AuthVerdict verdict, uint32_t address, uint32_t error = 0) {
    if (!asked_) {
      return;
    }
    AuthResult result;
    if (verdict == AuthVerdict::kChallenge) {
      result.eap = {1, ++num_random_, 0, 6, 13, 0x20};
      result.state = {1};
    }
    if (error != 0) {
      result.mschap_failure = MsChapFailure{.code = error, .challenge = {}, .message = {}};
    }
    result.verdict = verdict;
    result.lease.client_address = address;
    result.user = "alice";
    result.reject_reason = "rejected";
    result.no_address_reason = address == 0 ? "no address" : "";
    const uint8_t key[16] = {};
    result.authenticator_response = "S=0123456789012345678901234567890123456789";
    result.keys = {Secret(key), Secret(key), Secret(Octets(key).first(8)),
                   Secret(Octets(key).first(8))};
    accepted_ = verdict == AuthVerdict::kAccept;
    asked_ = false;
    call_.OnAuthResult(std::move(result), now_ms_);
  }

  void Take() {
    const std::vector<ppp::Effect> effects = call_.TakeEffects();
    Require(effects.size() <= kMaxEffects, "one input has few effects");
    for (const ppp::Effect& effect : effects) {
      Require(!ended_, "Ended is the last effect");
      std::visit([this](const auto& e) { On(e); }, effect);
    }
    Require(settings_->mppe != ppp::MppePolicy::kDeny || call_.mppe_bits() == 0,
            "no encryption where it is denied");
  }

  void On(const ppp::SendFrame& e) {
    const auto frame = wppp::ParseFrame(e.data);
    Require(frame.has_value() && frame->protocol > 0xff, "we send frames of control protocols");
    const auto packet = wppp::ParseControl(frame->information);
    Require(packet.has_value() && packet->data.size() + 4 == frame->information.size(),
            "we send right lengths");
    if (frame->protocol == wppp::kChap) {
      last_challenge_ = packet->code == 1 ? e.data : std::vector<uint8_t>();
    } else if (frame->protocol == wppp::kEap) {
      last_eap_ = packet->code == 1 ? e.data : std::vector<uint8_t>();
    } else if (frame->protocol != wppp::kPap && packet->code >= wppp::kConfigureRequest &&
               packet->code <= wppp::kConfigureReject) {
      Require(wppp::ParseOptions(packet->data).has_value(), "we send right options");
      if (packet->code == wppp::kConfigureRequest) {
        last_request_ = e.data;
      }
    }
  }
  void On(const ppp::Program& e) {
    const bool keys = e.state.receive.has_value() || e.state.send.has_value();
    Require(settings_->mppe != ppp::MppePolicy::kDeny || !keys, "no keys where MPPE is denied");
    Require(settings_->mppe != ppp::MppePolicy::kRequire || e.state.require_encryption,
            "nothing in clear where MPPE is required");
    Require(e.state.client_address == 0 || e.state.client_address == kClientAddress,
            "the address is the one that AAA gave");
    for (const auto* direction : {&e.state.receive, &e.state.send}) {
      Require(!direction->has_value() ||
                  (*direction)->start_key.octets().size() == ((*direction)->bits == 128 ? 16u : 8u),
              "keys have the length of RFC 3079");
    }
  }
  void On(const ppp::Authenticate&) {
    Require(!asked_, "AAA is asked one thing at a time");
    asked_ = true;
    accepted_ = false;
  }
  void On(const ppp::Authenticated&) { Require(accepted_, "who is in was accepted"); }
  void On(const ppp::Up& e) {
    Require(accepted_, "who is up was accepted");
    Require(e.client_address == kClientAddress || (e.client_address == 0 && ipv6_),
            "who is up has an address");
    Require(settings_->mppe != ppp::MppePolicy::kRequire || e.mppe_bits != 0,
            "up without encryption where it is required");
  }
  void On(const ppp::Ipv6Up& e) {
    Require(settings_->ipv6 && accepted_, "IPv6 is for those who may have it");
    Require(e.client_id != 0 && e.client_id != e.gateway_id, "interface identifiers differ");
    ipv6_ = true;
  }
  void On(const ppp::Ipv6Down&) { ipv6_ = false; }
  void On(const ppp::Ipv6Packet&) { Require(ipv6_, "no packet without IPV6CP"); }
  void On(const ppp::Changed&) {}
  void On(const ppp::Ended& e) {
    Require(!e.reason.empty(), "there is a reason");
    ended_ = true;
  }

  uint64_t now_ms_ = 1000;
  uint8_t num_random_ = 0;
  ppp::PppCounters counters_;
  std::shared_ptr<const ppp::PppSettings> settings_;
  ppp::PppCall call_;
  std::vector<uint8_t> last_request_, last_challenge_, last_eap_;
  bool asked_ = false;
  bool accepted_ = false;
  bool ended_ = false;
  bool ipv6_ = false;
};

}  // namespace
}  // namespace culvert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    culvert::fuzz::Harness harness(data[0]);
    harness.Run(culvert::fuzz::CommandStream({data + 1, size - 1}));
  }
  return 0;
}
