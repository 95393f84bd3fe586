// LocalUsers answers authentication from files read at start. Any thread; it answers before
// Authenticate() returns.
#pragma once

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/users.h"

namespace culvert {

class LocalUsers final : public Authenticator {
 public:
  explicit LocalUsers(Users users);

  void Authenticate(AuthRequest request, AuthDone done) override;

 private:
  const Users users_;
  User stranger_;  // stands in for unknown users, so that they take the same work
};

}  // namespace culvert
