#include "tools/load/conformance/session/session.h"

#include <fmt/format.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <random>

#include "proto/config/address/address.h"

namespace culvert::load::conformance {

namespace wp = wire::pptp;
namespace pp = wire::ppp;

Session::Session(const Target* target, const Survey* survey)
    : ppp(target, &tunnel), target_(target), survey_(survey) {
  call_request = {.serial_number = 1,
                  .minimum_bps = 300,
                  .maximum_bps = 100'000'000,
                  .bearer_type = 3,
                  .framing_type = 3,
                  .receive_window = 64};
}

Session::~Session() {
  constexpr int kFarewellMs = 300;
  if (control.fd() >= 0 && started_ && !control.closed()) {
    if (dialled_) {
      control.Send(wp::CallClearRequest{.call_id = tunnel.call_id});
    }
    control.Send(wp::StopRequest{.reason = 1});
    WaitClosed(kFarewellMs);
  }
}

uint16_t Session::NewCallId() {
  static std::atomic<uint16_t> next = static_cast<uint16_t>(std::random_device()());
  uint16_t id = 0;
  while (id == 0 || id == 0xffff) {
    id = next.fetch_add(1);
  }
  return id;
}

uint64_t Session::NowMs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

bool Session::Fail(std::string problem) {
  if (problem_.empty()) {
    problem_ = std::move(problem);
  }
  return false;
}

Result Session::Broken() const {
  Result result =
      Violates("the case could not begin: " + (problem_.empty() ? HeardPpp() : problem_));
  result.began = false;
  return result;
}

bool Session::Connect() {
  if (!problem_.empty()) {
    return false;
  }
  if (control.fd() >= 0) {
    return true;
  }
  const std::string why = control.Connect(*target_);
  return why.empty() || Fail("no connection: " + why);
}

bool Session::Start() {
  if (started_) {
    return problem_.empty();
  }
  if (!Connect()) {
    return false;
  }
  started_ = true;
  control.Send(wp::StartRequest{.framing_capabilities = 3,
                                .bearer_capabilities = 3,
                                .host_name = wp::ToName("culvert-load"),
                                .vendor = wp::ToName("culvert-load")});
  const auto reply = Await<wp::StartReply>();
  if (!reply && control.closed() && control.heard().empty() && !retried_) {
    retried_ = true;  // pptpd drops a connection at random while it waits for another's octets
    started_ = false;
    control.Close();
    return Start();
  }
  if (!reply || reply->result != 1) {
    return Fail("no Start-Control-Connection-Reply with result 1: " + control.Summary());
  }
  start_reply = *reply;
  return true;
}

bool Session::Dial() {
  if (dialled_) {
    return problem_.empty();
  }
  if (!Start()) {
    return false;
  }
  if (call_request.call_id == 0) {
    call_request.call_id = NewCallId();
  }
  // Open first: the server may send at once.
  const std::string why =
      tunnel.Open(control.local_address(), target_->server, call_request.call_id);
  if (!why.empty()) {
    return Fail("GRE: " + why);
  }
  ppp.Reset();
  dialled_ = true;
  control.Send(call_request);
  const auto reply = Await<wp::OutgoingCallReply>();
  if (!reply || reply->result != 1) {
    return Fail(reply ? fmt::format("Outgoing-Call-Reply with result {}, error {}", reply->result,
                                    reply->error)
                      : "no Outgoing-Call-Reply: " + control.Summary());
  }
  call_reply = *reply;
  tunnel.peer_call_id = reply->call_id;
  return true;
}

bool Session::OpenLcp() {
  ppp.habits.authenticate = false;
  return BringLcp();
}

bool Session::BringLcp() {
  if (!Dial()) {
    return false;
  }
  if (!ppp.lcp.open()) {
    ppp.Request(&ppp.lcp);
  }
  return Wait([this] { return ppp.lcp.open() || control.closed(); }, 2 * target_->wait_ms) &&
                 ppp.lcp.open()
             ? true
             : Fail("LCP does not open: " + ppp.Summary(0));
}

bool Session::Authenticate() {
  constexpr std::pair<uint32_t, AuthMethod> kPreferred[] = {{kMsChapV2, AuthMethod::kMsChapV2},
                                                            {kMsChap, AuthMethod::kMsChap},
                                                            {kChapMd5, AuthMethod::kChapMd5},
                                                            {kPap, AuthMethod::kPap}};
  for (const auto& [need, method] : kPreferred) {
    if (!dialled_ && !ppp.method && Offers(need)) {
      ppp.method = method;
    }
  }
  if (!BringLcp()) {
    return false;
  }
  Wait([this] { return ppp.authenticated || ppp.refusal || ppp.terminated || control.closed(); },
       2 * target_->wait_ms);
  return ppp.authenticated || Fail(ppp.refusal ? "the server refuses the password: " + *ppp.refusal
                                               : "authentication does not end: " + ppp.Summary(0));
}

bool Session::Up(uint32_t bits) {
  if (bits == kAsOffered) {
    bits = Offers(kMppe) ? pp::ccp::kStateless | pp::ccp::k128Bit : 0;
  }
  if (!dialled_) {
    ppp.mppe_bits = bits;
    if (bits != 0 && !ppp.method) {
      ppp.method = AuthMethod::kMsChapV2;
    }
  }
  if (!Authenticate()) {
    return false;
  }
  Wait(
      [&] {
        return (ppp.ipcp.open() && (bits == 0 || ppp.ccp.open())) || ppp.terminated ||
               control.closed();
      },
      2 * target_->wait_ms);
  return (ppp.ipcp.open() && (bits == 0 || ppp.ccp.open())) ||
         Fail("the network phase does not end: " + ppp.Summary(0));
}

void Session::Read() {
  control.Read();
  while (const auto packet = tunnel.Receive()) {
    ppp.OnPacket(*packet, NowMs());
  }
  ppp.OnTime(NowMs());
}

bool Session::Wait(const std::function<bool()>& done, int ms) {
  constexpr int64_t kTickMs = 50;
  const uint64_t end = NowMs() + static_cast<uint64_t>(ms < 0 ? target_->wait_ms : ms);
  for (;;) {
    Read();
    if (done()) {
      return true;
    }
    const int64_t left = static_cast<int64_t>(end - NowMs());
    if (left <= 0) {
      return false;
    }
    pollfd polled[] = {{control.closed() ? -1 : control.fd(), POLLIN, 0}, {tunnel.fd(), POLLIN, 0}};
    poll(polled, 2, static_cast<int>(std::min(left, kTickMs)));
  }
}

std::optional<PppPacket> Session::AwaitPpp(const std::function<bool(const PppPacket&)>& wanted,
                                           int ms) {
  std::optional<PppPacket> found;
  Wait(
      [&] {
        while (!found && ppp.mark < ppp.heard().size()) {
          if (const PppPacket& one = ppp.heard()[ppp.mark++]; wanted(one)) {
            found = one;
          }
        }
        return found.has_value() || control.closed();
      },
      ms);
  return found;
}

std::optional<PppPacket> Session::AwaitPpp(uint16_t protocol, uint8_t code, int ms) {
  return AwaitPpp([=](const PppPacket& p) { return p.protocol == protocol && p.code == code; }, ms);
}

std::optional<PppPacket> Session::Ask(uint16_t protocol, uint8_t code, uint8_t identifier,
                                      Octets data, int ms) {
  Forget();
  ppp.SendControl(protocol, code, identifier, data);
  return AwaitPpp(
      [=](const PppPacket& p) {
        if (p.protocol == pp::kLcp && p.code == pp::kProtocolReject && p.data.size() >= 2) {
          return wire::LoadBe16(p.data.data()) == protocol;
        }
        if (p.protocol != protocol) {
          return false;
        }
        if (p.code == pp::kCodeReject && (protocol == pp::kLcp || protocol >= 0x8000)) {
          return p.data.size() >= 2 && p.data[0] == code && p.data[1] == identifier;
        }
        return p.identifier == identifier && p.code != pp::kConfigureRequest &&
               p.code != pp::kEchoRequest && p.code != pp::kTerminateRequest;
      },
      ms);
}

void Session::Forget() {
  Read();
  control.mark = control_from_ = control.heard().size();
  ppp.mark = ppp_from_ = ppp.heard().size();
}

bool Session::Ended(int ms) {
  return Wait(
      [this] {
        bool disconnected = ppp.terminated || control.closed();
        for (size_t i = control_from_; i < control.heard().size(); ++i) {
          disconnected = disconnected ||
                         std::holds_alternative<wp::CallDisconnectNotify>(control.heard()[i]) ||
                         std::holds_alternative<wp::StopRequest>(control.heard()[i]);
        }
        return disconnected;
      },
      ms);
}

}  // namespace culvert::load::conformance
