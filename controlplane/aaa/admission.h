// Admission lets users in: a backend judges who it is, then the call gets its addresses. It
// stands between the calls and those who authenticate.
#pragma once

#include <cstdint>
#include <functional>

#include "controlplane/aaa/address_pools.h"
#include "controlplane/aaa/authentication.h"
#include "controlplane/ipv6/prefix_assignment.h"
#include "controlplane/logging/log_limit.h"

namespace culvert {

// Any thread; answers come on the asking one.
class Admission final : public Authenticator {
 public:
  using Clock = std::function<uint64_t()>;  // milliseconds, steady

  // `backend` and `pools` outlive this.
  // `prefixes` too; null: calls get no IPv6 prefixes.
  Admission(Authenticator* backend, AddressPools* pools, Clock clock,
            ipv6::PrefixAssignment* prefixes = nullptr);

  // Authenticate: an accepted call holds `lease` of the answer until Release().
  void Authenticate(AuthRequest request, AuthDone done) override;
  // Release takes back what a call held; an empty lease is allowed.
  void Release(const Lease& lease);

 private:
  void GiveAddress(AuthResult& result);
  void GivePrefixes(AuthResult& result);

  Authenticator* const backend_;
  AddressPools* const pools_;
  const Clock clock_;
  ipv6::PrefixAssignment* const prefixes_;
  LogLimit log_limit_;
};

}  // namespace culvert
