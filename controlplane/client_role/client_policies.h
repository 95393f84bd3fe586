// What a VPN client wants and accepts in LCP and IPCP. For CCP the server's CcpPolicy serves both
// sides: MPPE is symmetrical.
#pragma once

#include <cstdint>

#include "controlplane/ppp/call.h"
#include "controlplane/ppp/options/option_policy.h"

namespace culvert::client_role {

// LcpClientPolicy asks for an MRU, a magic number and compressed headers, and lets the server
// have one method of authentication, nothing else.
class LcpClientPolicy final : public ppp::OptionPolicy {
 public:
  LcpClientPolicy(uint16_t mru, uint32_t magic, AuthMethod method = AuthMethod::kMsChapV2)
      : mru_(mru), magic_(magic), method_(method) {}

  void Reset() override { authenticates_ = false; }
  void EmitRequest(wire::ppp::OptionList* out) override;
  void OnNak(const wire::ppp::Option& option) override;
  void OnReject(const wire::ppp::Option& option) override;
  ppp::Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) override;
  void Accept(const ppp::Options& options) override;

  // authenticates: the server wants to know who we are.
  [[nodiscard]] bool authenticates() const { return authenticates_; }
  // magic: ours; 0: the server would not have it.
  [[nodiscard]] uint32_t magic() const { return ask_magic_ ? magic_ : 0; }

 private:
  uint16_t mru_;
  uint32_t magic_;
  AuthMethod method_;
  bool ask_mru_ = true, ask_magic_ = true, ask_pfc_ = true, ask_acfc_ = true;
  bool authenticates_ = false;
};

// IpcpClientPolicy asks for an address and two name servers and takes what it is given.
class IpcpClientPolicy final : public ppp::OptionPolicy {
 public:
  void Reset() override {}
  void EmitRequest(wire::ppp::OptionList* out) override;
  void OnNak(const wire::ppp::Option& option) override;
  void OnReject(const wire::ppp::Option& option) override;
  ppp::Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) override;
  void Accept(const ppp::Options& options) override {}

  // Host order; 0: not known.
  [[nodiscard]] uint32_t address() const { return address_; }
  [[nodiscard]] uint32_t dns() const { return dns_[0]; }

 private:
  uint32_t address_ = 0;
  uint32_t dns_[2] = {0, 0};
  bool ask_dns_[2] = {true, true};
};

}  // namespace culvert::client_role
