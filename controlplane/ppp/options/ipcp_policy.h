// IpcpPolicy: the server's side of IPCP's options (RFC 1332 s3, RFC 1877). Addresses are in
// host order.
#pragma once

#include <cstdint>
#include <optional>

#include "controlplane/ppp/options/option_policy.h"
#include "controlplane/ppp/terms.h"

namespace culvert::ppp {

class IpcpPolicy final : public OptionPolicy {
 public:
  // `client_address` is what the peer gets; not 0. `terms` outlives the policy.
  IpcpPolicy(const Terms& terms, uint32_t gateway_address, uint32_t client_address)
      : terms_(terms), gateway_address_(gateway_address), client_address_(client_address) {}

  void Reset() override {}
  void EmitRequest(wire::ppp::OptionList* out) override;
  // The gateway's address is not up for discussion; a peer that does not want to know it
  // (Reject) is not told.
  void OnNak(const wire::ppp::Option& option) override {}
  void OnReject(const wire::ppp::Option& option) override;
  Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) override;
  void AddMissing(const Options& options, wire::ppp::OptionList* naks) override;
  void Accept(const Options& options) override {}

  [[nodiscard]] uint32_t client_address() const { return client_address_; }

 private:
  // Offer: the address that an option is to have; nullopt: the option is rejected.
  [[nodiscard]] std::optional<uint32_t> Offer(uint8_t type) const;

  const Terms& terms_;
  const uint32_t gateway_address_, client_address_;
  bool tell_address_ = true;
};

}  // namespace culvert::ppp
