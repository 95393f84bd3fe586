// LocalUsers answers authentication from files read at start. Any thread; it answers before
// Authenticate() returns.
#pragma once

#include <functional>
#include <memory>

#include "controlplane/aaa/address_pools.h"
#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/users.h"
#include "controlplane/logging/log_limit.h"

namespace culvert {

class LocalUsers final : public Authenticator {
 public:
  using Clock = std::function<uint64_t()>;  // milliseconds, steady

  // `pools` outlives this; the users' fixed addresses are reserved in it here.
  LocalUsers(Users users, AddressPools* pools, Clock clock);

  void Authenticate(AuthRequest request, std::function<void(AuthResult)> done) override;

 private:
  void GiveAddress(const User& user, AuthResult& result);

  const Users users_;
  AddressPools* const pools_;
  const Clock clock_;
  User stranger_;  // stands in for unknown users, so that they take the same work
  LogLimit log_limit_;
};

}  // namespace culvert
