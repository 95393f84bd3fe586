// LocalUsers answers authentication from files read at start. Any thread; it answers before
// Authenticate() returns.
#pragma once

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/eap/local_eap.h"
#include "controlplane/aaa/users.h"

namespace culvert {

class LocalUsers final : public Authenticator {
 public:
  explicit LocalUsers(Users users, eap::Settings eap = {});

  void Authenticate(AuthRequest request, AuthDone done) override;

 private:
  AuthResult Judge(const AuthRequest& request, const Users::Found& found) const;

  const Users users_;
  const eap::LocalEap eap_;
  const bool answers_strangers_;
  User stranger_;  // stands in for unknown users, so that they take the same work
};

}  // namespace culvert
