// PppClient: the PPP side of a VPN client's call: LCP, MS-CHAPv2, CCP with stateless MPPE-128 and
// IPCP, made of the same Negotiator as the server. Without socket, clock or thread; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/client_role/client_policies.h"
#include "controlplane/ppp/negotiation/negotiator.h"
#include "controlplane/ppp/options/ccp_policy.h"

namespace culvert::client_role {

class PppClient final : private ppp::NegotiatorOwner {
 public:
  struct Account {
    std::string user;
    Secret nt_hash;  // crypto::NtPasswordHash() of the password
  };
  // `settings`: timers and counts of RFC 1661 s4.6, and the MRU; its `mppe` says whether CCP is
  // asked for. It, `account` and `counters` outlive the client.
  PppClient(const ppp::PppSettings* settings, const Account* account, const ppp::Random& random,
            ppp::PppCounters* counters);

  void Start(uint64_t now_ms);
  // OnFrame: from the protocol field on, or with FF 03 before it.
  void OnFrame(wire::Octets frame, uint64_t now_ms);
  void OnTimer(uint64_t now_ms);
  // HangUp sends LCP Terminate-Request.
  void HangUp(uint64_t now_ms) { lcp_.Close("User request", now_ms); }

  // TakeFrames gives what is to be sent, from the protocol field on.
  [[nodiscard]] std::vector<std::vector<uint8_t>> TakeFrames();
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  // up: IPCP is open, and CCP too when it is asked for. Data may flow.
  [[nodiscard]] bool up() const;
  // failure: why the call cannot succeed any more; empty while it can.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] uint32_t address() const { return ipcp_policy_.address(); }  // host order
  // keys: once MS-CHAPv2 has succeeded; as the client sends and receives.
  [[nodiscard]] const MppeStartKeys& keys() const { return keys_; }

 private:
  void Send(std::vector<uint8_t> frame) override { frames_.push_back(std::move(frame)); }
  void BeforeConfigure(uint16_t, uint8_t) override {}
  void OnLayerUp(uint16_t protocol) override;
  void OnLayerDown(uint16_t protocol) override;
  void OnLayerFinished(uint16_t protocol) override;
  void OnNegotiationFailed(uint16_t protocol, const std::string& why) override;
  void OnTerminateRequest(uint16_t protocol) override;
  void OnExtraPacket(uint16_t protocol, const wire::ppp::ControlPacket& packet) override;
  void OnCodeRejected(uint16_t, uint8_t) override {}

  void OnChap(wire::Octets information);
  void OnChallenge(const wire::ppp::ControlPacket& packet);
  void OnSuccess(std::string_view message);
  void StartNetwork();
  void Fail(std::string_view why);
  [[nodiscard]] bool wants_mppe() const { return settings_->mppe != ppp::MppePolicy::kDeny; }

  const ppp::PppSettings* const settings_;
  const Account* const account_;
  const ppp::Random& random_;
  uint64_t now_ms_ = 0;
  std::vector<std::vector<uint8_t>> frames_;
  std::string failure_;
  bool authenticated_ = false;

  std::array<uint8_t, 16> challenge_{}, peer_challenge_{};  // theirs, ours
  std::array<uint8_t, 24> nt_response_{};
  bool responded_ = false;
  MppeStartKeys keys_;

  LcpClientPolicy lcp_policy_;
  IpcpClientPolicy ipcp_policy_;
  ppp::CcpPolicy ccp_policy_;
  ppp::Negotiator lcp_, ipcp_, ccp_;
};

}  // namespace culvert::client_role
