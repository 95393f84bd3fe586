#include "controlplane/ppp/call_script.h"

#include <absl/strings/str_format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/vectors/vectors.h"

namespace culvert::ppp::testing {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;

std::string WithoutBlanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::string Describe(const std::optional<MppeDirection>& key) {
  if (!key) {
    return "-";
  }
  return absl::StrFormat("%d/%d/%s%s", key->bits, key->epoch,
                         ToHex(key->start_key.octets().first(1)), key->stateful ? "/stateful" : "");
}

// Describe: of LCP echo that only answers nothing is said.
std::string Describe(const std::optional<EchoOffload>& echo) {
  if (!echo || echo->interval_s == 0) {
    return "";
  }
  return absl::StrFormat(" echo %d/%d/%08x/%08x", echo->interval_s, echo->failures, echo->magic,
                         echo->peer_magic);
}

// "program 10.77.0.10 rx 128/1/22 tx - mru 1500 mtu 1500 [acfc] [pfc] [required]", where a key
// is bits, epoch and the first octet, "/stateful", and " echo 30/4/01010101/0a0b0c0d" is interval,
// failures, our magic number and the peer's.
std::string Describe(const DataplaneState& state) {
  const uint32_t a = state.client_address;
  return absl::StrFormat(
      "program %d.%d.%d.%d rx %s tx %s mru %d mtu %d%s%s%s%s%s", a >> 24, a >> 16 & 255,
      a >> 8 & 255, a & 255, Describe(state.receive), Describe(state.send), state.peer_mru,
      state.mtu, state.send_acfc ? " acfc" : "", state.send_pfc ? " pfc" : "",
      state.require_encryption ? " required" : "", Describe(state.echo),
      state.client_interface_id != 0 ? absl::StrFormat(" ipv6 %016x", state.client_interface_id)
                                     : "");
}

}  // namespace

std::string Packet(const std::string& protocol, int code, int identifier, const std::string& data) {
  const std::string hex = WithoutBlanks(data);
  return protocol + absl::StrFormat("%02x%02x%04x", code, identifier, 4 + hex.size() / 2) + hex;
}
std::string Lcp(int code, int id, const std::string& data) {
  return Packet("c021", code, id, data);
}
std::string Pap(int code, int id, const std::string& data) {
  return Packet("c023", code, id, data);
}
std::string Chap(int code, int id, const std::string& data) {
  return Packet("c223", code, id, data);
}
std::string Eap(int code, int id, const std::string& data) {
  return Packet("c227", code, id, data);
}
std::string Ccp(int code, int id, const std::string& data) {
  return Packet("80fd", code, id, data);
}
std::string Ipcp(int code, int id, const std::string& data) {
  return Packet("8021", code, id, data);
}

std::string Ipv6cp(int code, int id, const std::string& data) {
  return Packet("8057", code, id, data);
}

std::string HexOf(const std::string& text) {
  return ToHex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

PppSettings TestSettings() {
  PppSettings settings;
  settings.gateway_address = 0x0a4d0001;
  settings.dns = {0x08080808, 0x08080404};
  settings.methods = {AuthMethod::kMsChapV2};
  settings.server_name = "culvert";
  settings.echo_interval_s = 0;
  return settings;
}

AuthResult Accepted() {
  AuthResult result;
  result.verdict = AuthVerdict::kAccept;
  result.user = "alice";
  result.authenticator_response = "S=" + std::string(40, 'A');
  result.lease.client_address = 0x0a4d000a;
  result.keys.send_128 = Secret(std::vector<uint8_t>(16, 0x11));
  result.keys.receive_128 = Secret(std::vector<uint8_t>(16, 0x22));
  result.keys.send_40_56 = Secret(std::vector<uint8_t>(8, 0x33));
  result.keys.receive_40_56 = Secret(std::vector<uint8_t>(8, 0x44));
  return result;
}

AuthResult Rejected() {
  AuthResult result;
  result.reject_reason = "wrong password";
  return result;
}

Script::Script(PppSettings settings) {
  const Random random = [this](std::span<uint8_t> out) {
    ++next_random_;
    std::fill(out.begin(), out.end(), next_random_);
  };
  call_ = std::make_unique<PppCall>(std::make_shared<PppSettings>(std::move(settings)), random,
                                    &counters_, now_ms_);
}

void Script::Start() {
  call_->Start(now_ms_);
  Take();
}

void Script::Receive(const std::string& frame) {
  const std::string hex = WithoutBlanks(frame);
  const std::vector<uint8_t> octets = FromHex(hex);
  ASSERT_EQ(octets.size() * 2, hex.size()) << "not hexadecimal: " << frame;
  call_->OnFrame(octets, now_ms_);
  Take();
}

void Script::Answer(AuthResult result) {
  call_->OnAuthResult(std::move(result), now_ms_);
  Take();
}

void Script::Terminate(const std::string& reason) {
  call_->Terminate(reason, now_ms_);
  Take();
}

void Script::RenegotiateCcp() {
  call_->RenegotiateCcp(now_ms_);
  Take();
}

void Script::ProgramAgain() {
  call_->ProgramAgain();
  Take();
}

void Script::LowerDown(const std::string& reason) {
  call_->OnLowerDown(reason, now_ms_);
  Take();
}

void Script::Wait(uint64_t ms) {
  const uint64_t end = now_ms_ + ms;
  for (auto deadline = call_->deadline_ms(); deadline && *deadline <= end;
       deadline = call_->deadline_ms()) {
    ASSERT_GT(*deadline, now_ms_ - 1) << "a deadline in the past";
    now_ms_ = std::max(now_ms_, *deadline);
    call_->OnTimer(now_ms_);
    Take();
  }
  now_ms_ = end;
}

std::string Script::Describe(Effect& effect) {
  if (auto* send = std::get_if<SendFrame>(&effect)) {
    return ToHex(send->data);
  }
  if (auto* program = std::get_if<Program>(&effect)) {
    return testing::Describe(program->state);
  }
  if (auto* ask = std::get_if<ppp::Authenticate>(&effect)) {
    question_ = std::move(ask->request);
    return "authenticate " + question_->user;
  }
  if (auto* authenticated = std::get_if<Authenticated>(&effect)) {
    return "authenticated " + authenticated->user;
  }
  if (auto* up = std::get_if<Up>(&effect)) {
    return absl::StrFormat("up %d", up->mppe_bits);
  }
  if (auto* up = std::get_if<Ipv6Up>(&effect)) {
    return absl::StrFormat("ipv6 up %016x %016x", up->gateway_id, up->client_id);
  }
  if (std::holds_alternative<Ipv6Down>(effect)) {
    return "ipv6 down";
  }
  if (auto* packet = std::get_if<Ipv6Packet>(&effect)) {
    return "ipv6 packet " + ToHex(packet->packet);
  }
  if (auto* ended = std::get_if<Ended>(&effect)) {
    end_kind_ = ended->kind;
    return "ended " + ended->reason;
  }
  return "";
}

void Script::Take() {
  for (Effect& effect : call_->TakeEffects()) {
    EXPECT_FALSE(ended_) << "an effect after the end: " << Describe(effect);
    ended_ = ended_ || std::holds_alternative<Ended>(effect);
    const std::string text = Describe(effect);
    if (!text.empty()) {
      effects_.push_back(text);
    }
  }
}

void Script::Expect(const std::string& effect) {
  const bool is_frame = effect.find_first_not_of("0123456789abcdef ") == std::string::npos;
  ASSERT_FALSE(effects_.empty()) << "nothing happened, expected " << effect;
  EXPECT_EQ(effects_.front(), is_frame ? WithoutBlanks(effect) : effect);
  effects_.pop_front();
}

void Script::ExpectNothing() {
  EXPECT_TRUE(effects_.empty()) << effects_.front();
  effects_.clear();
}

void Script::OpenLcp(const std::string& method) {
  const std::string option = absl::StrFormat("03%02x", 2 + method.size() / 2) + method;
  const std::string ours = "0104 0578" + option + "0506 01010101 0702 0802";
  Start();
  Expect(Lcp(1, 1, ours));
  Receive(Lcp(1, 1, "0206 00000000 0506 0a0b0c0d 0702 0802"));
  Expect(Lcp(2, 1, "0206 00000000 0506 0a0b0c0d 0702 0802"));
  Receive(Lcp(2, 1, ours));
}

void Script::Authenticate(AuthResult result) {
  const std::string challenge(32, '3');
  Expect(Chap(1, 3, "10 03030303030303030303030303030303" + HexOf("culvert")));
  Receive(Chap(2, 3,
               "31" + std::string(32, '5') + std::string(16, '0') + std::string(48, '6') + "00" +
                   HexOf("alice")));
  Expect("authenticate alice");
  Answer(std::move(result));
}

void Script::OpenCcp() {
  Receive(Ccp(1, 1, "1206 01000040"));
  Skip();
  Receive(Ccp(3, 1, "1206 01000040"));
  Receive(Ccp(2, 2, "1206 01000040"));
  Skip();
}

void Script::OpenIpcp() {
  Receive(Ipcp(1, 1, "0306 0a4d000a"));
  Receive(Ipcp(2, 1, "0306 0a4d0001"));
  Skip();
}

}  // namespace culvert::ppp::testing
