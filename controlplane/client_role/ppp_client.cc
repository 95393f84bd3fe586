#include "controlplane/client_role/ppp_client.h"

#include <algorithm>
#include <array>
#include <utility>

namespace culvert::client_role {

namespace wp = wire::ppp;

namespace {

uint32_t RandomMagic(const ppp::Random& random) {
  std::array<uint8_t, 4> octets;
  random(octets);
  return wire::LoadBe32(octets.data()) | 1;
}

}  // namespace

PppClient::PppClient(const ppp::PppSettings* settings, const Account* account,
                     const ppp::Random& random, ppp::PppCounters* counters, const Wishes* wishes)
    : settings_(settings),
      authentication_(account, wishes, &random),
      lcp_policy_(settings->mru, RandomMagic(random), wishes->method),
      ccp_policy_(wishes->mppe, wishes->stateful, wishes->stateful),
      lcp_(wp::kLcp, wp::kProtocolReject, wp::kTimeRemaining, &lcp_policy_, this, *settings,
           counters),
      ipcp_(wp::kIpcp, 0, 0, &ipcp_policy_, this, *settings, counters),
      ccp_(wp::kCcp, wp::kResetRequest, wp::kResetAck, &ccp_policy_, this, *settings, counters) {}

void PppClient::Start(uint64_t now_ms) {
  now_ms_ = now_ms;
  lcp_.Open(now_ms);
  lcp_.Up(now_ms);
}

void PppClient::OnFrame(wire::Octets octets, uint64_t now_ms) {
  now_ms_ = now_ms;
  const tl::expected<wp::Frame, wp::Error> frame = wp::ParseFrame(octets);
  if (!frame) {
    return;
  }
  if (frame->protocol == wp::kLcp) {
    lcp_.OnPacket(frame->information, now_ms);
  } else if (!lcp_.opened()) {
    return;  // RFC 1661 s3.4
  } else if (frame->protocol == wp::kChap || frame->protocol == wp::kPap ||
             frame->protocol == wp::kEap) {
    Authenticate(frame->protocol, frame->information);
  } else if (frame->protocol == wp::kIpcp && authenticated_) {
    ipcp_.OnPacket(frame->information, now_ms);
  } else if (frame->protocol == wp::kCcp && authenticated_ && wants_mppe()) {
    ccp_.OnPacket(frame->information, now_ms);
  } else if (frame->protocol != wp::kIpcp && frame->protocol != wp::kCcp) {
    Send(wp::EmitControl(wp::kLcp, wp::kProtocolReject, lcp_.NextIdentifier(), octets));
  }
}

void PppClient::OnTimer(uint64_t now_ms) {
  now_ms_ = now_ms;
  lcp_.OnTimer(now_ms);
  ipcp_.OnTimer(now_ms);
  ccp_.OnTimer(now_ms);
  if (again_ms_ && now_ms >= *again_ms_) {
    authentication_.Again();
    again_ms_ = now_ms + settings_->restart_timer_ms;
    TakeAuthentication();
  }
}

std::vector<std::vector<uint8_t>> PppClient::TakeFrames() { return std::exchange(frames_, {}); }

std::optional<uint64_t> PppClient::deadline_ms() const {
  std::optional<uint64_t> next = again_ms_;
  for (const ppp::Negotiator* one : {&lcp_, &ipcp_, &ccp_}) {
    if (one->deadline_ms()) {
      next = std::min(next.value_or(UINT64_MAX), *one->deadline_ms());
    }
  }
  return next;
}

bool PppClient::up() const {
  return failure_.empty() && lcp_.opened() && ipcp_.opened() && (!wants_mppe() || ccp_.opened());
}

void PppClient::OnLayerUp(uint16_t protocol) {
  if (protocol == wp::kCcp) {
    ++num_ccp_opened_;
  } else if (protocol == wp::kLcp && lcp_policy_.authenticates()) {
    authentication_.Begin();
    TakeAuthentication();
  } else if (protocol == wp::kLcp) {
    StartNetwork();
  }
}

void PppClient::OnLayerDown(uint16_t protocol) {
  if (protocol == wp::kLcp) {
    authenticated_ = false;
    again_ms_.reset();
    ccp_.Down(now_ms_);
    ipcp_.Down(now_ms_);
  }
}

void PppClient::OnLayerFinished(uint16_t protocol) {
  const ppp::Negotiator& one = protocol == wp::kLcp ? lcp_ : protocol == wp::kIpcp ? ipcp_ : ccp_;
  Fail(one.reason().empty() ? "the link is closed" : one.reason());
}

void PppClient::OnNegotiationFailed(uint16_t protocol, const std::string& why) {
  Fail(why);
  lcp_.Close(why, now_ms_);
}

void PppClient::OnTerminateRequest(uint16_t protocol) {
  if (protocol == wp::kLcp) {
    Fail("the server terminates the link");
  }
}

void PppClient::OnExtraPacket(uint16_t protocol, const wp::ControlPacket& packet) {
  if (protocol == wp::kCcp && packet.code == wp::kResetRequest) {
    ++num_resets_;
    return Send(wp::EmitControl(wp::kCcp, wp::kResetAck, packet.identifier, {}));
  }
  if (protocol != wp::kLcp) {
    return;
  }
  if (packet.code == wp::kEchoRequest && packet.data.size() >= 4) {
    std::vector<uint8_t> data(packet.data.begin(), packet.data.end());
    wire::StoreBe32(data.data(), lcp_policy_.magic());  // RFC 1661 s5.8: the sender's own
    Send(wp::EmitControl(wp::kLcp, wp::kEchoReply, packet.identifier, data));
  } else if (packet.code == wp::kProtocolReject && packet.data.size() >= 2) {
    const uint16_t rejected = wire::LoadBe16(packet.data.data());
    if (rejected == wp::kIpcp || rejected == wp::kCcp) {
      Fail("the server has no such protocol");
    }
  }
}

void PppClient::Authenticate(uint16_t protocol, wire::Octets information) {
  authentication_.OnPacket(protocol, information);
  TakeAuthentication();
}

void PppClient::TakeAuthentication() {
  for (std::vector<uint8_t>& frame : authentication_.TakeFrames()) {
    Send(std::move(frame));
  }
  again_ms_.reset();
  if (!authentication_.failure().empty()) {
    Fail(authentication_.failure());
    if (authentication_.server_failed()) {
      lcp_.Close("authentication failed", now_ms_);
    }
  } else if (authentication_.passed() && !authenticated_) {
    StartNetwork();
  } else if (authentication_.waits_for_pap()) {
    again_ms_ = now_ms_ + settings_->restart_timer_ms;
  }
}

void PppClient::StartNetwork() {
  authenticated_ = true;
  if (wants_mppe()) {
    ccp_.Open(now_ms_);
    ccp_.Up(now_ms_);
  }
  ipcp_.Open(now_ms_);
  ipcp_.Up(now_ms_);
}

PppClient::Step PppClient::step() const {
  return up()                                             ? Step::kUp
         : !lcp_.opened()                                 ? Step::kLink
         : lcp_policy_.authenticates() && !authenticated_ ? Step::kAuthentication
                                                          : Step::kNetwork;
}

PppClient::Encryption PppClient::encryption() const {
  if (!ccp_.opened()) {
    return {};
  }
  return {.epoch = num_ccp_opened_,
          .send_bits = ccp_policy_.send_bits(),
          .receive_bits = ccp_policy_.receive_bits(),
          .send_stateful = ccp_policy_.send_stateful(),
          .receive_stateful = ccp_policy_.receive_stateful()};
}

void PppClient::RequestReset() {
  Send(wp::EmitControl(wp::kCcp, wp::kResetRequest, ccp_.NextIdentifier(), {}));
}

void PppClient::Fail(std::string_view why) {
  if (failure_.empty()) {
    failure_ = why;
  }
}

}  // namespace culvert::client_role
