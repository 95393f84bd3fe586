// CCP, IPCP and the data plane's view in a call.
//
// Keys (RFC 3078, RFC 3079): the peer may send encrypted data as soon as it has our Configure-Ack
// and has acknowledged our request, so the receiving key is programmed before either is sent;
// we send encrypted data when CCP is open. Every negotiation of CCP has an epoch of its own:
// with a new one the data plane starts from the StartKeys again.
#include "controlplane/ppp/call_impl.h"

namespace culvert::ppp {

namespace {

// The key sequence starts again with each CCP, so the same key stream is used again: RFC 3078
// s9 warns of it.
constexpr uint32_t kMaxCcpRestarts = 5;
constexpr uint32_t kMaxIpcpRestarts = 5;

}  // namespace

PppCall::Impl::Network::Network(Impl* call, uint32_t strengths, uint32_t client_address)
    : ccp_policy(strengths, call->settings_->mppe_stateful),
      ccp(wire::ppp::kCcp, wire::ppp::kResetRequest, wire::ppp::kResetAck, &ccp_policy, call,
          *call->settings_, call->counters_),
      ipcp_policy(call->terms_, call->settings_->gateway_address, client_address),
      ipcp(wire::ppp::kIpcp, 0, 0, &ipcp_policy, call, *call->settings_, call->counters_) {
  if (call->MayDoIpv6()) {
    ipv6 = std::make_unique<Ipv6>(call);
  }
}

void PppCall::Impl::StartNetwork() {
  SetPhase(Phase::kNetwork);
  if (!terms_.conflict.empty()) {
    return TerminateLink(EndKind::kEncryption, std::string(terms_.conflict),
                         "encryption is not possible");
  }
  strengths_ = terms_.UsableStrengths(keys_);
  if (required() && strengths_ == 0) {
    return TerminateLink(EndKind::kEncryption,
                         "MPPE is required, but the authentication gave no key for it",
                         "MPPE is required");
  }
  network_ = std::make_unique<Network>(this, strengths_, assigned_address_);
  network_running_ = true;
  ++ccp_epoch_;
  if (strengths_ != 0) {
    network_->ccp.Open(now_ms_);
    network_->ccp.Up(now_ms_);
  }
  network_->ipcp.Open(now_ms_);
  if (strengths_ == 0) {
    return StartIpcp();
  }
  if (!required()) {
    ipcp_start_ms_ = now_ms_ + settings_->restart_timer_ms;
  }
  ReplayHeld();
}

// StartIpcp: CCP is decided, or has had its time. When MPPE is optional it gets one restart
// period: that keeps the first packets from going in clear, and pppd answers IPCP requests with
// a Terminate-Ack as long as it waits for CCP.
void PppCall::Impl::StartIpcp() {
  ipcp_start_ms_.reset();
  if (network_running_ && network_->ipcp.state() == State::kStarting) {
    network_->ipcp.Up(now_ms_);
    StartIpv6();
    ReplayHeld();
  }
}

void PppCall::Impl::StopNetwork() {
  if (!network_running_) {
    return;
  }
  network_running_ = false;
  ipcp_start_ms_.reset();
  network_->ipcp.Down(now_ms_);
  if (network_->ipv6 != nullptr) {
    network_->ipv6->ipv6cp.Down(now_ms_);
    SetInterfaceId(0);
  }
  network_->ccp.Down(now_ms_);
  receive_ = send_ = {};
  was_encrypted_ = false;
  programmed_address_ = 0;
  announced_up_ = false;
  ProgramLater();
}

void PppCall::Impl::OnNetworkFrame(const wire::ppp::Frame& frame, wire::Octets whole) {
  const bool is_ccp = frame.protocol == wire::ppp::kCcp;
  if (is_ccp && (terms_.mppe == MppePolicy::kDeny || (network_running_ && strengths_ == 0))) {
    return SendProtocolReject(frame);
  }
  // Windows sends its first requests without waiting: they are kept until their time comes.
  if (!network_running_ || (!is_ccp && network_->ipcp.state() == State::kStarting)) {
    return Hold(whole);
  }
  (is_ccp ? network_->ccp : network_->ipcp).OnPacket(frame.information, now_ms_);
}

void PppCall::Impl::BeforeConfigure(uint16_t protocol, uint8_t code) {
  const bool is_ack = code == wire::ppp::kConfigureAck;
  if (protocol == wire::ppp::kCcp) {
    const CcpPolicy& policy = network_->ccp_policy;
    if (is_ack) {
      SetReceive(policy.receive_bits() != 0 ? policy.receive_bits() : policy.send_bits());
    } else if (network_->ccp.state() == State::kAckSent) {
      SetReceive(policy.receive_bits());
    }
  } else if (protocol == wire::ppp::kIpcp && is_ack) {
    if (programmed_address_ != assigned_address_) {
      programmed_address_ = assigned_address_;
      ProgramNow();
    }
  } else if (protocol == wire::ppp::kIpv6cp && is_ack) {
    SetInterfaceId(network_->ipv6->policy.client_id());
  }
}

void PppCall::Impl::SetReceive(uint16_t bits) {
  const bool stateful = network_->ccp_policy.receive_stateful();
  if (bits == 0 ||
      (receive_.bits == bits && receive_.stateful == stateful && receive_.epoch == ccp_epoch_)) {
    return;
  }
  if (receive_.epoch == ccp_epoch_) {
    ++ccp_epoch_;  // another key length or mode within one negotiation
  }
  receive_ = {bits, ccp_epoch_, stateful};
  ProgramNow();
}

void PppCall::Impl::OnCcpUp() {
  const CcpPolicy& policy = network_->ccp_policy;
  // A peer that acknowledges a request with a choice has not said what it takes: most likely
  // what it has asked for itself.
  const bool chosen = policy.receive_bits() != 0;
  SetReceive(chosen ? policy.receive_bits() : policy.send_bits());
  send_ = {policy.send_bits(), ccp_epoch_, policy.send_stateful()};
  was_encrypted_ = true;
  ProgramNow();
  Emit(Changed{});
  StartIpcp();
  CheckUp();
}

void PppCall::Impl::OnCcpDown() {
  if (!network_running_) {
    return;
  }
  send_ = {};
  ++ccp_epoch_;
  ProgramLater();
  Emit(Changed{});
  const State state = network_->ccp.state();
  if (state == State::kStopping || state == State::kClosing) {
    return OnCcpGone(network_->ccp.reason());
  }
  if (++num_ccp_restarts_ > kMaxCcpRestarts) {
    return TerminateLink(EndKind::kProtocol, "CCP: renegotiated too often",
                         "too many renegotiations");
  }
  if (required()) {
    SetPhase(Phase::kNetwork);
  }
}

void PppCall::Impl::OnCcpGone(const std::string& why) {
  if (!network_running_) {
    return;
  }
  if (required()) {
    return TerminateLink(EndKind::kEncryption, "MPPE is required: " + why, "MPPE is required");
  }
  if (receive_.bits != 0 || send_.bits != 0) {
    receive_ = send_ = {};
    ProgramLater();
    Emit(Changed{});
  }
  was_encrypted_ = false;
  if (network_->ccp.state() >= State::kReqSent) {
    network_->ccp.Close("no MPPE", now_ms_);
  }
  StartIpcp();
}

void PppCall::Impl::RenegotiateCcp(uint64_t now_ms) {
  if (ended_ || terminating_ || !ccp_opened()) {
    return;  // what comes of a negotiation under way has new keys anyway
  }
  now_ms_ = now_ms;
  network_->ccp.Down(now_ms);
  if (network_running_) {  // not renegotiated too often
    network_->ccp.Up(now_ms);
  }
  Settle();
}

void PppCall::Impl::OnIpcpUp() { CheckUp(); }

void PppCall::Impl::OnIpcpDown() {
  if (!network_running_) {
    return;
  }
  programmed_address_ = 0;
  ProgramLater();
  const State state = network_->ipcp.state();
  if (state == State::kStopping) {
    return;  // OnTerminateRequest follows, after the Ack
  }
  if (state == State::kClosing) {
    return OnIpcpGone(network_->ipcp.reason(), "IPCP was closed");
  }
  if (++num_ipcp_restarts_ > kMaxIpcpRestarts) {
    return TerminateLink(EndKind::kNetwork, "IPCP: renegotiated too often",
                         "too many renegotiations");
  }
  SetPhase(Phase::kNetwork);
}

// OnIpcpGone: the network protocols do not depend on each other (RFC 5072 s3), but a call without
// any is over.
void PppCall::Impl::OnIpcpGone(const std::string& why, std::string_view wire_text) {
  if (!network_running_ || terminating_) {
    return;
  }
  if (!ipv6_alive()) {
    return TerminateLink(network_->ipcp.cause() == Negotiator::Cause::kPeerTerminated
                             ? EndKind::kPeerHungUp
                             : EndKind::kNetwork,
                         "IPCP: " + why, wire_text);
  }
  if (programmed_address_ != 0) {
    programmed_address_ = 0;
    ProgramLater();
  }
  if (network_->ipcp.state() >= State::kReqSent) {
    network_->ipcp.Close("no IPv4", now_ms_);
  }
  CheckUp();
}

void PppCall::Impl::CheckUp() {
  const bool has_network =
      network_running_ &&
      (ipcp_opened() || (ipv6_opened() && network_->ipcp.state() <= State::kStopping));
  if (!has_network || (required() && !ccp_opened())) {
    return;
  }
  setup_deadline_ms_.reset();
  if (!announced_up_) {
    announced_up_ = true;
    Emit(Up{.client_address = programmed_address_, .mppe_bits = send_.bits});
  }
  SetPhase(Phase::kOpen);
}

std::optional<MppeDirection> PppCall::Impl::Key(const Direction& direction, const Secret& key_128,
                                                const Secret& key_40_56) const {
  if (direction.bits == 0) {
    return std::nullopt;
  }
  const Secret& key = direction.bits == 128 ? key_128 : key_40_56;
  return MppeDirection{.bits = direction.bits,
                       .epoch = direction.epoch,
                       .stateful = direction.stateful,
                       .start_key = key.Clone()};
}

void PppCall::Impl::ProgramNow() {
  program_due_ = false;
  const LcpPolicy::Peer& peer = lcp_policy_.peer();
  DataplaneState state;
  state.send_acfc = peer.acfc;
  state.send_pfc = peer.pfc;
  state.peer_mru = peer.mru;
  state.mtu = terms_.mtu;
  state.client_address = programmed_address_;
  state.client_interface_id = programmed_interface_id_;
  state.require_encryption = required() || was_encrypted_;
  state.receive = Key(receive_, keys_.receive_128, keys_.receive_40_56);
  state.send = Key(send_, keys_.send_128, keys_.send_40_56);
  if (lcp_.opened()) {
    state.echo = EchoOffload{.interval_s = echo_refused_ ? uint16_t{0} : settings_->echo_interval_s,
                             .failures = settings_->echo_failures,
                             .magic = lcp_policy_.magic(),
                             .peer_magic = peer.magic};
  }
  Emit(Program{std::move(state)});
}

}  // namespace culvert::ppp
