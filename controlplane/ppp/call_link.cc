// LCP, authentication and echo in a call.
#include <algorithm>

#include "controlplane/ppp/call_impl.h"

namespace culvert::ppp {

using wire::ppp::EmitControl;

namespace {

constexpr uint32_t kMaxLcpRestarts = 5;
constexpr uint32_t kMaxProtocolRejectsASecond = 10;
constexpr size_t kControlHeaderLen = 4;

}  // namespace

void PppCall::Impl::OnLayerUp(uint16_t protocol) {
  switch (protocol) {
    case wire::ppp::kLcp:
      return OnLcpUp();
    case wire::ppp::kCcp:
      return OnCcpUp();
    case wire::ppp::kIpv6cp:
      return OnIpv6cpUp();
    default:
      return OnIpcpUp();
  }
}

void PppCall::Impl::OnLayerDown(uint16_t protocol) {
  switch (protocol) {
    case wire::ppp::kLcp:
      return OnLcpDown();
    case wire::ppp::kCcp:
      return OnCcpDown();
    case wire::ppp::kIpv6cp:
      return OnIpv6cpDown();
    default:
      return OnIpcpDown();
  }
}

EndKind PppCall::Impl::LcpEnd() const {
  switch (lcp_.cause()) {
    case Negotiator::Cause::kPeerTerminated:
      return EndKind::kPeerHungUp;
    case Negotiator::Cause::kPeerSilent:
      return EndKind::kPeerSilent;
    default:
      return EndKind::kProtocol;
  }
}

void PppCall::Impl::OnLayerFinished(uint16_t protocol) {
  switch (protocol) {
    case wire::ppp::kLcp:
      return terminating_ ? End(end_kind_, end_reason_) : End(LcpEnd(), "LCP: " + lcp_.reason());
    case wire::ppp::kCcp:
      return OnCcpGone(network_->ccp.reason());
    case wire::ppp::kIpv6cp:
      return OnIpv6cpGone();
    default:
      return OnIpcpGone(network_->ipcp.reason(), "IPCP failed");
  }
}

void PppCall::Impl::OnNegotiationFailed(uint16_t protocol, const std::string& why) {
  switch (protocol) {
    case wire::ppp::kLcp:
      return TerminateLink(EndKind::kProtocol, "LCP: " + why, why);
    case wire::ppp::kCcp:
      return OnCcpGone(why);
    case wire::ppp::kIpv6cp:
      network_->ipv6->ipv6cp.Close("no IPv6", now_ms_);
      return OnIpv6cpGone();
    default:
      return OnIpcpGone(why, "IPCP failed");
  }
}

void PppCall::Impl::OnTerminateRequest(uint16_t protocol) {
  if (protocol == wire::ppp::kCcp) {
    OnCcpGone(network_->ccp.reason());
  } else if (protocol == wire::ppp::kIpcp) {
    OnIpcpGone(network_->ipcp.reason(), "IPCP was closed");
  }
}

void PppCall::Impl::OnCodeRejected(uint16_t protocol, uint8_t code) {
  if (protocol == wire::ppp::kLcp && code == wire::ppp::kEchoRequest) {
    echo_refused_ = true;
    ProgramLater();
  }
}

void PppCall::Impl::OnLcpUp() {
  SetPhase(Phase::kAuthenticate);
  auth_.Start(lcp_policy_.method(), now_ms_);
}

void PppCall::Impl::OnLcpDown() {
  auth_.Stop();
  next_question_.reset();
  held_.clear();
  StopNetwork();
  authenticated_ = false;
  if (lcp_.state() == State::kStopping || lcp_.state() == State::kClosing) {
    if (!terminating_) {
      terminating_ = true;
      end_kind_ = LcpEnd();
      end_reason_ = lcp_.reason();
      setup_deadline_ms_.reset();
      SetPhase(Phase::kTerminate);
    }
    return;
  }
  // The peer negotiates LCP again: everything above starts again too.
  if (++num_lcp_restarts_ > kMaxLcpRestarts) {
    return TerminateLink(EndKind::kProtocol, "LCP: renegotiated too often",
                         "too many renegotiations");
  }
  setup_deadline_ms_ = now_ms_ + settings_->setup_timeout_ms;
  SetPhase(Phase::kEstablish);
}

void PppCall::Impl::Ask(AuthRequest request) {
  // One question at a time, so that no verdict is taken for that on another exchange.
  if (verdict_due_) {
    next_question_ = std::make_unique<AuthRequest>(std::move(request));
    return;
  }
  verdict_due_ = true;
  Emit(Authenticate{std::move(request)});
}

void PppCall::Impl::OnAuthTimeout(const std::string& why) {
  TerminateLink(EndKind::kAuthentication, "authentication: " + why, "authentication timed out");
}

void PppCall::Impl::OnAuthResult(AuthResult result, uint64_t now_ms) {
  if (ended_) {
    return;
  }
  now_ms_ = now_ms;
  verdict_due_ = false;
  if (next_question_) {
    return Ask(std::move(*std::exchange(next_question_, nullptr)));  // this verdict came too late
  }
  switch (auth_.OnResult(result, now_ms)) {
    case AuthServer::Outcome::kNobodyAsked:  // the link went down meanwhile
    case AuthServer::Outcome::kGoesOn:
      return;
    case AuthServer::Outcome::kRetry:
      setup_deadline_ms_ = now_ms + settings_->setup_timeout_ms;  // bounded by auth_retries
      return;
    case AuthServer::Outcome::kFailed:
      TerminateLink(EndKind::kAuthentication,
                    "authentication failed: " +
                        (auth_.failure().empty() ? result.reject_reason : auth_.failure()),
                    "authentication failed");
      return Settle();
    case AuthServer::Outcome::kPassed:
      break;
  }
  authenticated_ = true;
  keys_ = std::move(result.keys);
  terms_ = Terms(*settings_, result.grants);
  assigned_address_ = result.lease.client_address;
  wanted_interface_id_ =
      result.grants.ipv6.interface_id ? InterfaceIdOf(*result.grants.ipv6.interface_id) : 0;
  Emit(Authenticated{auth_.method(), std::move(result.user)});
  if (assigned_address_ == 0) {
    TerminateLink(EndKind::kNetwork, "no address: " + result.no_address_reason,
                  "no address available");
  } else {
    StartNetwork();
  }
  Settle();
}

void PppCall::Impl::OnExtraPacket(uint16_t protocol, const wire::ppp::ControlPacket& packet) {
  if (protocol == wire::ppp::kCcp) {
    return;  // Reset-Request and Reset-Ack are the data plane's, which has the keys: a stray one
  }
  switch (packet.code) {
    case wire::ppp::kProtocolReject:
      return OnProtocolReject(packet);
    case wire::ppp::kEchoRequest:
      return OnEchoRequest(packet);
    case wire::ppp::kEchoReply:
      return OnEchoReply(packet);
    default:
      return;  // Discard-Request, Identification, Time-Remaining: nothing to do
  }
}

void PppCall::Impl::OnEchoRequest(const wire::ppp::ControlPacket& packet) {
  wire::Reader in(packet.data);
  const uint32_t magic = in.U32();
  if (!in.ok()) {
    ++counters_->malformed_packets;
    return;
  }
  if (magic != 0 && magic == lcp_policy_.magic()) {
    return TerminateLink(EndKind::kProtocol, "LCP: the link is looped back",
                         "the link is looped back");
  }
  const size_t room =
      std::max<size_t>(lcp_policy_.peer().mru, kControlHeaderLen + 4) - kControlHeaderLen;
  std::vector<uint8_t> data(std::min(packet.data.size(), room));
  wire::Writer out(data);
  out.U32(lcp_policy_.magic());
  out.Bytes(in.rest().first(data.size() - 4));
  Send(EmitControl(wire::ppp::kLcp, wire::ppp::kEchoReply, packet.identifier, data));
}

void PppCall::Impl::OnEchoReply(const wire::ppp::ControlPacket& packet) {
  wire::Reader in(packet.data);
  const uint32_t magic = in.U32();
  if (!in.ok()) {
    ++counters_->malformed_packets;
  } else if (magic != 0 && magic == lcp_policy_.magic()) {
    TerminateLink(EndKind::kProtocol, "LCP: the link is looped back", "the link is looped back");
  }  // else an answer to the data plane, which has noted that something came
}

void PppCall::Impl::SendProtocolReject(const wire::ppp::Frame& frame) {
  ++counters_->unknown_protocols;
  if (num_rejects_ == 0 || now_ms_ - rejects_since_ms_ >= 1000) {
    rejects_since_ms_ = now_ms_;
    num_rejects_ = 0;
  }
  if (++num_rejects_ > kMaxProtocolRejectsASecond) {
    return;
  }
  const size_t room =
      std::max<size_t>(lcp_policy_.peer().mru, kControlHeaderLen + 2) - kControlHeaderLen;
  std::vector<uint8_t> data(std::min(2 + frame.information.size(), room));
  wire::Writer out(data);
  out.U16(frame.protocol);
  out.Bytes(frame.information.first(data.size() - 2));
  Send(EmitControl(wire::ppp::kLcp, wire::ppp::kProtocolReject, lcp_.NextIdentifier(), data));
}

void PppCall::Impl::OnProtocolReject(const wire::ppp::ControlPacket& packet) {
  wire::Reader in(packet.data);
  const uint16_t protocol = in.U16();
  if (!in.ok()) {
    ++counters_->malformed_packets;
    return;
  }
  if (!lcp_.opened()) {
    ++counters_->out_of_phase;  // RFC 1661 s5.7
    return;
  }
  switch (protocol) {
    case wire::ppp::kLcp:
      return lcp_.OnProtocolReject(now_ms_);
    case wire::ppp::kPap:
    case wire::ppp::kChap:
    case wire::ppp::kEap:
      return TerminateLink(EndKind::kAuthentication,
                           "the client rejects the authentication protocol",
                           "authentication is required");
    case wire::ppp::kIpcp:
    case wire::ppp::kIpv4:
      // A client that is not ready yet may reject its first packets.
      if (network_running_ && (protocol == wire::ppp::kIpcp || ipcp_opened())) {
        network_->ipcp.OnProtocolReject(now_ms_);
      }
      return;
    case wire::ppp::kIpv6cp:
    case wire::ppp::kIpv6:
      if (network_running_ && network_->ipv6 != nullptr) {
        network_->ipv6->ipv6cp.OnProtocolReject(now_ms_);
      }
      return;
    case wire::ppp::kCcp:
    case wire::ppp::kMppe:
      if (network_running_ && (protocol == wire::ppp::kCcp || ccp_opened())) {
        network_->ccp.OnProtocolReject(now_ms_);
      }
      return;
    default:
      return;
  }
}

}  // namespace culvert::ppp
