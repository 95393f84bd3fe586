// RadiusAuthenticator asks the RADIUS servers about users.
#pragma once

#include "controlplane/aaa/authentication.h"
#include "controlplane/logging/log_limit.h"
#include "controlplane/radius/client/sender.h"
#include "controlplane/radius/login/access_request.h"

namespace culvert::radius {

class RadiusAuthenticator final : public Authenticator {
 public:
  // `sender` outlives this.
  RadiusAuthenticator(Sender* sender, AccessSettings settings)
      : sender_(sender), settings_(std::move(settings)) {}

  // Authenticate: from a thread with a HomeLoop, which gets the answer.
  void Authenticate(AuthRequest request, AuthDone done) override;

 private:
  void Finish(const Answer& answer, const AuthRequest& request, const AuthDone& done);

  Sender* const sender_;
  const AccessSettings settings_;
  LogLimit log_limit_;
};

}  // namespace culvert::radius
