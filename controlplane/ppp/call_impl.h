// PppCall's inside: it connects LCP, authentication, CCP and IPCP, and turns what they do
// into effects. Implemented in call.cc (life), call_link.cc (LCP, authentication) and
// call_network.cc (CCP, IPCP, what the data plane is told) and call_ipv6.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ppp/auth/auth_server.h"
#include "controlplane/ppp/call.h"
#include "controlplane/ppp/negotiation/negotiator.h"
#include "controlplane/ppp/options/ccp_policy.h"
#include "controlplane/ppp/options/ipcp_policy.h"
#include "controlplane/ppp/options/ipv6cp_policy.h"
#include "controlplane/ppp/options/lcp_policy.h"
#include "controlplane/ppp/terms.h"

namespace culvert::ppp {

class PppCall::Impl final : public NegotiatorOwner, public AuthServerOwner {
 public:
  Impl(std::shared_ptr<const PppSettings> settings, Random random, PppCounters* counters,
       uint64_t now_ms);

  void Start(uint64_t now_ms);
  void OnFrame(wire::Octets frame, uint64_t now_ms);
  void OnAuthResult(AuthResult result, uint64_t now_ms);
  void OnTimer(uint64_t now_ms);
  void Terminate(std::string reason, uint64_t now_ms);
  void RenegotiateCcp(uint64_t now_ms);
  void ProgramAgain();
  void OnLowerDown(std::string reason, uint64_t now_ms);
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  [[nodiscard]] std::vector<Effect> TakeEffects() { return std::exchange(effects_, {}); }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] uint16_t mppe_bits() const { return send_.bits; }

 private:
  struct Ipv6 {
    explicit Ipv6(Impl* call);
    Ipv6cpPolicy policy;
    Negotiator ipv6cp;
    uint32_t num_restarts = 0;
  };
  // Network is what there is only after the authentication.
  struct Network {
    Network(Impl* call, uint32_t strengths, uint32_t client_address);
    std::unique_ptr<Ipv6> ipv6;  // null: denied
    CcpPolicy ccp_policy;
    Negotiator ccp;
    IpcpPolicy ipcp_policy;
    Negotiator ipcp;
  };
  // A direction of MPPE as it was programmed last; bits 0: no key.
  struct Direction {
    uint16_t bits = 0;
    uint32_t epoch = 0;
    bool stateful = false;
  };

  // NegotiatorOwner
  void Send(std::vector<uint8_t> frame) override;
  void BeforeConfigure(uint16_t protocol, uint8_t code) override;
  void OnLayerUp(uint16_t protocol) override;
  void OnLayerDown(uint16_t protocol) override;
  void OnLayerFinished(uint16_t protocol) override;
  void OnNegotiationFailed(uint16_t protocol, const std::string& why) override;
  void OnTerminateRequest(uint16_t protocol) override;
  void OnExtraPacket(uint16_t protocol, const wire::ppp::ControlPacket& packet) override;
  void OnCodeRejected(uint16_t protocol, uint8_t code) override;
  // AuthServerOwner
  void SendAuth(std::vector<uint8_t> frame) override { Send(std::move(frame)); }
  void Ask(AuthRequest request) override;
  void OnAuthTimeout(const std::string& why) override;

  // call.cc
  void Emit(Effect effect);
  void Settle();  // after every input
  void End(EndKind kind, std::string reason);
  // TerminateLink: `wire_text` is what the peer is told; `reason` is for the log.
  void TerminateLink(EndKind kind, std::string reason, std::string_view wire_text);
  void SetPhase(Phase phase);
  void Dispatch(const wire::ppp::Frame& frame, wire::Octets whole);
  void Hold(wire::Octets frame);
  void ReplayHeld();

  // call_link.cc
  [[nodiscard]] EndKind LcpEnd() const;
  void OnLcpUp();
  void OnLcpDown();
  void OnEchoRequest(const wire::ppp::ControlPacket& packet);
  void OnEchoReply(const wire::ppp::ControlPacket& packet);
  void SendProtocolReject(const wire::ppp::Frame& frame);
  void OnProtocolReject(const wire::ppp::ControlPacket& packet);

  // call_network.cc
  void StartNetwork();
  void StartIpcp();
  void StopNetwork();
  void OnNetworkFrame(const wire::ppp::Frame& frame, wire::Octets whole);
  void OnCcpUp();
  void OnCcpDown();
  void OnCcpGone(const std::string& why);  // MPPE will not be: terminate, or go on without
  void OnIpcpUp();
  void OnIpcpDown();
  void OnIpcpGone(const std::string& why, std::string_view wire_text);
  void CheckUp();
  void SetReceive(uint16_t bits);
  void ProgramNow();
  void ProgramLater() { program_due_ = true; }

  // call_ipv6.cc
  void StartIpv6();
  void OnIpv6cpFrame(const wire::ppp::Frame& frame, wire::Octets whole);
  void OnIpv6Data(const wire::ppp::Frame& frame);
  void OnIpv6cpUp();
  void OnIpv6cpDown();
  void OnIpv6cpGone();
  void SetInterfaceId(uint64_t id);  // 0: IPv6 has no business in the data plane
  [[nodiscard]] bool MayDoIpv6() const;
  [[nodiscard]] bool ipv6_alive() const;
  [[nodiscard]] bool ipv6_opened() const;

  [[nodiscard]] std::optional<MppeDirection> Key(const Direction& direction, const Secret& key_128,
                                                 const Secret& key_40_56) const;
  [[nodiscard]] bool required() const { return terms_.mppe == MppePolicy::kRequire; }
  [[nodiscard]] bool ccp_opened() const { return network_ != nullptr && network_->ccp.opened(); }
  [[nodiscard]] bool ipcp_opened() const { return network_ != nullptr && network_->ipcp.opened(); }

  const std::shared_ptr<const PppSettings> settings_;
  const Random random_;
  PppCounters* const counters_;

  uint64_t now_ms_;  // of the input being handled
  std::vector<Effect> effects_;
  Phase phase_ = Phase::kDead;
  bool ended_ = false;
  bool terminating_ = false;
  EndKind end_kind_ = EndKind::kProtocol;  // with end_reason_
  std::string end_reason_;
  std::optional<uint64_t> setup_deadline_ms_;

  LcpPolicy lcp_policy_;
  Negotiator lcp_;
  AuthServer auth_;
  bool echo_refused_ = false;  // the peer knows no Echo-Request
  uint32_t num_lcp_restarts_ = 0;
  uint64_t rejects_since_ms_ = 0;  // Protocol-Rejects, by the second
  uint32_t num_rejects_ = 0;

  bool verdict_due_ = false;                    // of AAA
  std::unique_ptr<AuthRequest> next_question_;  // asked before that verdict came
  bool authenticated_ = false;
  uint32_t assigned_address_ = 0;
  MppeStartKeys keys_;
  Terms terms_;
  std::vector<std::vector<uint8_t>> held_;  // NCP frames that came too early

  std::unique_ptr<Network> network_;
  bool network_running_ = false;
  std::optional<uint64_t> ipcp_start_ms_;  // when IPCP stops to wait for an optional CCP
  uint32_t strengths_ = 0;                 // MPPE: what configuration and keys allow
  uint32_t ccp_epoch_ = 0;
  uint32_t num_ccp_restarts_ = 0, num_ipcp_restarts_ = 0;
  Direction receive_, send_;
  bool was_encrypted_ = false;  // until CCP ends in order: no fall back to clear text
  uint32_t programmed_address_ = 0;
  uint64_t wanted_interface_id_ = 0;  // of AAA
  uint64_t programmed_interface_id_ = 0;
  bool program_due_ = false;
  bool announced_up_ = false;
};

}  // namespace culvert::ppp
