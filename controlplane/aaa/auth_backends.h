// AuthBackends asks one backend after another until one knows the user: local users before
// RADIUS, or the other way round.
#pragma once

#include <memory>
#include <vector>

#include "controlplane/aaa/authentication.h"

namespace culvert {

// Any thread, as far as the backends are.
class AuthBackends final : public Authenticator {
 public:
  // `backends` are asked in this order and outlive this; at least one, at most 255.
  explicit AuthBackends(std::vector<Authenticator*> backends);

  // Authenticate: the last backend's answer counts when none knows the user. An exchange of
  // several rounds stays with the backend that has begun it: its `state` says which.
  void Authenticate(AuthRequest request, AuthDone done) override;

 private:
  void Ask(size_t index, AuthRequest request, AuthDone done);
  void AskOne(size_t index, AuthRequest request, AuthDone done);

  const std::vector<Authenticator*> backends_;
};

}  // namespace culvert
