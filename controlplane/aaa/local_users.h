// LocalUsers answers authentication from a table of users, which may be replaced at any time.
// Any thread; it answers before Authenticate() returns.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <memory>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/eap/local_eap.h"
#include "controlplane/aaa/users/users.h"

namespace culvert {

class LocalUsers final : public Authenticator {
 public:
  explicit LocalUsers(std::shared_ptr<const Users> users, eap::Settings eap = {});

  void Authenticate(AuthRequest request, AuthDone done) override;

  // Replace: questions that are being answered go on with the table they began with.
  void Replace(std::shared_ptr<const Users> users);
  // Reconfigure: conversations that have begun go on by the new settings.
  void Reconfigure(eap::Settings eap);
  // users is the table in use.
  [[nodiscard]] std::shared_ptr<const Users> users() const;

 private:
  struct Eap {
    eap::LocalEap server;
    bool answers_strangers = true;
  };
  static std::shared_ptr<const Eap> MakeEap(eap::Settings settings);
  AuthResult Judge(const AuthRequest& request, const Users::Found& found, const Eap& eap) const;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Eap> eap_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Users> users_ ABSL_GUARDED_BY(mutex_);
  User stranger_;  // stands in for unknown users, so that they take the same work
};

}  // namespace culvert
