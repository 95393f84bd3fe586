#include "controlplane/client_role/ppp_client.h"

#include <algorithm>
#include <utility>

#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "proto/wire/auth.h"

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
                     const ppp::Random& random, ppp::PppCounters* counters)
    : settings_(settings),
      account_(account),
      random_(random),
      lcp_policy_(settings->mru, RandomMagic(random)),
      ccp_policy_(wp::ccp::k128Bit, /*allow_stateful=*/false),
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
  } else if (frame->protocol == wp::kChap) {
    OnChap(frame->information);
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
}

std::vector<std::vector<uint8_t>> PppClient::TakeFrames() { return std::exchange(frames_, {}); }

std::optional<uint64_t> PppClient::deadline_ms() const {
  std::optional<uint64_t> next;
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
  if (protocol == wp::kLcp && !lcp_policy_.authenticates()) {
    StartNetwork();
  }
}

void PppClient::OnLayerDown(uint16_t protocol) {
  if (protocol == wp::kLcp) {
    authenticated_ = responded_ = false;
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
  if (protocol != wp::kLcp) {
    return;
  }
  if (packet.code == wp::kEchoRequest) {
    Send(wp::EmitControl(wp::kLcp, wp::kEchoReply, packet.identifier, packet.data));
  } else if (packet.code == wp::kProtocolReject && packet.data.size() >= 2) {
    const uint16_t rejected = wire::LoadBe16(packet.data.data());
    if (rejected == wp::kIpcp || rejected == wp::kCcp) {
      Fail("the server has no such protocol");
    }
  }
}

void PppClient::OnChap(wire::Octets information) {
  const tl::expected<wp::ControlPacket, wp::Error> packet = wp::ParseControl(information);
  if (!packet) {
    return;
  }
  if (packet->code == wire::chap::kChallenge) {
    OnChallenge(*packet);
  } else if (packet->code == wire::chap::kSuccess && responded_ && !authenticated_) {
    OnSuccess({reinterpret_cast<const char*>(packet->data.data()), packet->data.size()});
  } else if (packet->code == wire::chap::kFailure && responded_) {
    Fail("the server refuses the password");
  }
}

void PppClient::OnChallenge(const wp::ControlPacket& packet) {
  const auto value = wire::chap::ParseValue(packet.data);
  if (!value || value->value.size() != challenge_.size()) {
    return;
  }
  std::copy(value->value.begin(), value->value.end(), challenge_.begin());
  random_(peer_challenge_);
  nt_response_ = crypto::GenerateNtResponse(challenge_, peer_challenge_, account_->user,
                                            crypto::SpanOf16(account_->nt_hash));
  std::array<uint8_t, wire::chap::kMsChapResponseLen> response{};  // RFC 2759 s4
  std::copy(peer_challenge_.begin(), peer_challenge_.end(), response.begin());
  std::copy(nt_response_.begin(), nt_response_.end(), response.begin() + 24);
  responded_ = true;
  Send(wp::EmitControl(wp::kChap, wire::chap::kResponse, packet.identifier,
                       wire::chap::EmitValue({.value = response, .name = account_->user})));
}

void PppClient::OnSuccess(std::string_view message) {
  // RFC 2759 s5: a server that does not prove that it knows the password is not trusted.
  const std::string proof =
      crypto::AuthenticatorResponse(crypto::SpanOf16(account_->nt_hash), nt_response_,
                                    peer_challenge_, challenge_, account_->user);
  if (!message.starts_with(proof)) {
    Fail("the server does not know the password");
    return lcp_.Close("authentication failed", now_ms_);
  }
  keys_ = crypto::MsChapV2StartKeys(crypto::SpanOf16(account_->nt_hash), nt_response_,
                                    crypto::MppeSide::kClient);
  StartNetwork();
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

void PppClient::Fail(std::string_view why) {
  if (failure_.empty()) {
    failure_ = why;
  }
}

}  // namespace culvert::client_role
