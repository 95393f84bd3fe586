// PppClient: the PPP side of a VPN client's call: LCP, authentication, CCP with MPPE and IPCP, made
// of the same Negotiator as the server. Without socket, clock or thread; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/client_role/authentication.h"
#include "controlplane/client_role/client_policies.h"
#include "controlplane/ppp/negotiation/negotiator.h"
#include "controlplane/ppp/options/ccp_policy.h"

namespace culvert::client_role {

class PppClient final : private ppp::NegotiatorOwner {
 public:
  using Account = client_role::Account;
  // Step: what is being negotiated.
  enum class Step : uint8_t { kLink, kAuthentication, kNetwork, kUp };
  // Encryption: what CCP has agreed on, once it is open.
  struct Encryption {
    uint32_t epoch = 0;  // new each time that CCP opens: keys start again; 0: it never has
    uint16_t send_bits = 0, receive_bits = 0;
    bool send_stateful = false, receive_stateful = false;
  };

  // `settings`: timers and counts of RFC 1661 s4.6, and the MRU; its `mppe` says whether CCP is
  // asked for. All outlive the client.
  PppClient(const ppp::PppSettings* settings, const Account* account, const ppp::Random& random,
            ppp::PppCounters* counters, const Wishes* wishes = &kUsualWishes);

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
  // keys: once a method that gives some has passed; as the client sends and receives.
  [[nodiscard]] const MppeStartKeys& keys() const { return authentication_.keys(); }
  [[nodiscard]] Step step() const;
  [[nodiscard]] Encryption encryption() const;
  // num_resets: how many Reset-Requests of stateful MPPE the server has sent; each is answered with
  // a Reset-Ack, and the next frame is to be a flushed one (RFC 3078 s8.2).
  [[nodiscard]] uint32_t num_resets() const { return num_resets_; }
  // RequestReset asks for that: frames of stateful MPPE were lost.
  void RequestReset();

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

  void Authenticate(uint16_t protocol, wire::Octets information);
  void TakeAuthentication();
  void StartNetwork();
  void Fail(std::string_view why);
  [[nodiscard]] bool wants_mppe() const { return settings_->mppe != ppp::MppePolicy::kDeny; }

  const ppp::PppSettings* const settings_;
  uint64_t now_ms_ = 0;
  std::vector<std::vector<uint8_t>> frames_;
  std::string failure_;
  bool authenticated_ = false;
  std::optional<uint64_t> again_ms_;  // the PAP request
  uint32_t num_ccp_opened_ = 0, num_resets_ = 0;

  Authentication authentication_;
  LcpClientPolicy lcp_policy_;
  IpcpClientPolicy ipcp_policy_;
  ppp::CcpPolicy ccp_policy_;
  ppp::Negotiator lcp_, ipcp_, ccp_;
};

}  // namespace culvert::client_role
