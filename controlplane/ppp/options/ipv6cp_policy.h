// Ipv6cpPolicy: the server's side of IPV6CP's option, the interface identifier (RFC 5072 s4.1).
// Identifiers are numbers: fe80::1 has 1.
#pragma once

#include <cstdint>

#include "controlplane/ppp/call.h"
#include "controlplane/ppp/options/option_policy.h"

namespace culvert::ppp {

// InterfaceIdOf reads eight octets, as in the option.
[[nodiscard]] uint64_t InterfaceIdOf(wire::Octets octets);

class Ipv6cpPolicy final : public OptionPolicy {
 public:
  // `ours` is not 0. `wanted` is what the peer must take (RFC 3162 s2.2), 0: what it likes.
  // `random` outlives the policy.
  Ipv6cpPolicy(uint64_t ours, uint64_t wanted, const Random& random);

  void Reset() override { client_id_ = 0; }
  void EmitRequest(wire::ppp::OptionList* out) override;
  void OnNak(const wire::ppp::Option& option) override;
  void OnReject(const wire::ppp::Option& option) override;
  Judgement Judge(const wire::ppp::Option& option, wire::ppp::OptionList* naks) override;
  void AddMissing(const Options& options, wire::ppp::OptionList* naks) override;
  void Accept(const Options& options) override;

  [[nodiscard]] uint64_t gateway_id() const { return ours_; }
  [[nodiscard]] uint64_t client_id() const { return client_id_; }  // 0: not accepted yet

 private:
  // Suggestion: what a peer gets that has none, or ours.
  [[nodiscard]] uint64_t Suggestion();

  uint64_t ours_;
  uint64_t wanted_;
  const Random& random_;
  uint64_t client_id_ = 0;
  bool tell_ = true;
};

}  // namespace culvert::ppp
