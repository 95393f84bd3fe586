// LocalUsers answers authentication from a table of users, which may be replaced at any time.
// Any thread; it answers before Authenticate() returns, but for a change of a password.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <memory>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/eap/local_eap.h"
#include "controlplane/aaa/users/users.h"
#include "controlplane/aaa/users/users_file_edit.h"

namespace culvert {

// PasswordChangeParts: what a password change takes (RFC 2759 s7): `write` stores it and tells
// `done` on any thread; `post` runs work on the thread of the call's shard. Both come back at once.
struct PasswordChangeParts {
  std::function<void(PasswordEdit edit, std::function<void(const absl::Status&)> done)> write = {};
  std::function<void(const CallFacts& call, std::function<void()> work)> post = {};
};
struct LocalUserSettings {
  eap::Settings eap = {};
  bool may_change_password = false;  // who is expired; needs PasswordChangeParts
};

class LocalUsers final : public Authenticator {
 public:
  explicit LocalUsers(std::shared_ptr<const Users> users, LocalUserSettings settings = {},
                      PasswordChangeParts parts = {});

  void Authenticate(AuthRequest request, AuthDone done) override;

  // Replace: questions that are being answered go on with the table they began with.
  void Replace(std::shared_ptr<const Users> users);
  // Reconfigure: conversations that have begun go on by the new settings.
  void Reconfigure(LocalUserSettings settings);
  // users is the table in use.
  [[nodiscard]] std::shared_ptr<const Users> users() const;

 private:
  struct Rules {
    eap::LocalEap eap;
    bool answers_strangers = true;
    bool may_change_password = false;
  };
  static std::shared_ptr<const Rules> MakeRules(LocalUserSettings settings);
  AuthResult Judge(const AuthRequest& request, const Users::Found& found, const Rules& rules) const;
  // ChangePassword answers a Change-Password of a known user.
  void ChangePassword(const AuthRequest& request, const Users::Found& found, const Rules& rules,
                      AuthDone done) const;

  const PasswordChangeParts parts_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Rules> rules_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Users> users_ ABSL_GUARDED_BY(mutex_);
  User stranger_;  // stands in for unknown users, so that they take the same work
};

}  // namespace culvert
