// IPV6CP in a call. It stands beside IPCP: either may fail or end without the other.
#include <algorithm>

#include "controlplane/ppp/call_impl.h"

namespace culvert::ppp {
namespace {

constexpr uint32_t kMaxIpv6cpRestarts = 5;

}  // namespace

PppCall::Impl::Ipv6::Ipv6(Impl* call)
    : policy(call->settings_->gateway_interface_id, call->wanted_interface_id_, call->random_),
      ipv6cp(wire::ppp::kIpv6cp, 0, 0, &policy, call, *call->settings_, call->counters_) {}

// MayDoIpv6: RFC 8200 s5 wants room for 1280 octets on every link, also inside MPPE.
bool PppCall::Impl::MayDoIpv6() const {
  constexpr uint16_t kMinMtu = 1280;
  constexpr uint16_t kMppeLen = 4;
  const uint16_t around = terms_.mppe == MppePolicy::kDeny ? 0 : kMppeLen;
  return settings_->ipv6 && terms_.mtu >= kMinMtu && lcp_policy_.peer().mru >= kMinMtu + around;
}

bool PppCall::Impl::ipv6_alive() const {
  return network_running_ && network_->ipv6 != nullptr &&
         network_->ipv6->ipv6cp.state() >= State::kReqSent;
}

bool PppCall::Impl::ipv6_opened() const {
  return network_running_ && network_->ipv6 != nullptr && network_->ipv6->ipv6cp.opened();
}

void PppCall::Impl::StartIpv6() {
  if (network_->ipv6 != nullptr) {
    network_->ipv6->ipv6cp.Open(now_ms_);
    network_->ipv6->ipv6cp.Up(now_ms_);
  }
}

void PppCall::Impl::OnIpv6cpFrame(const wire::ppp::Frame& frame, wire::Octets whole) {
  if (!settings_->ipv6 || (network_running_ && network_->ipv6 == nullptr)) {
    return SendProtocolReject(frame);
  }
  if (!network_running_ || network_->ipv6->ipv6cp.state() <= State::kStarting) {
    return Hold(whole);
  }
  network_->ipv6->ipv6cp.OnPacket(frame.information, now_ms_);
}

// The data plane gives us what is for the router on the link.
void PppCall::Impl::OnIpv6Data(const wire::ppp::Frame& frame) {
  if (!settings_->ipv6) {
    return SendProtocolReject(frame);
  }
  if (!ipv6_opened()) {
    ++counters_->out_of_phase;
    return;
  }
  Emit(Ipv6Packet{{frame.information.begin(), frame.information.end()}});
}

void PppCall::Impl::SetInterfaceId(uint64_t id) {
  if (programmed_interface_id_ == id) {
    return;
  }
  programmed_interface_id_ = id;
  if (id != 0) {
    return ProgramNow();
  }
  Emit(Ipv6Down{});
  ProgramLater();
}

void PppCall::Impl::OnIpv6cpUp() {
  const Ipv6cpPolicy& policy = network_->ipv6->policy;
  Emit(Ipv6Up{.gateway_id = policy.gateway_id(), .client_id = policy.client_id()});
  CheckUp();
}

void PppCall::Impl::OnIpv6cpDown() {
  if (!network_running_) {
    return;
  }
  SetInterfaceId(0);
  Ipv6& ipv6 = *network_->ipv6;
  const State state = ipv6.ipv6cp.state();
  if (state == State::kStopping || state == State::kClosing) {
    return OnIpv6cpGone();
  }
  if (++ipv6.num_restarts > kMaxIpv6cpRestarts) {
    ipv6.ipv6cp.Close("renegotiated too often", now_ms_);
    OnIpv6cpGone();
  }
}

void PppCall::Impl::OnIpv6cpGone() {
  if (!network_running_ || terminating_) {
    return;
  }
  SetInterfaceId(0);
  if (network_->ipcp.state() <= State::kStopping) {
    const Negotiator& ipv6cp = network_->ipv6->ipv6cp;
    TerminateLink(ipv6cp.cause() == Negotiator::Cause::kPeerTerminated ? EndKind::kPeerHungUp
                                                                       : EndKind::kNetwork,
                  "IPV6CP: " + ipv6cp.reason(), "no network protocol is left");
  }
}

}  // namespace culvert::ppp
