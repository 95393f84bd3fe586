#include "controlplane/aaa/local_users.h"

#include <openssl/rand.h>

#include <array>

#include "controlplane/aaa/verify.h"

namespace culvert {

namespace {

void FillRandom(std::span<uint8_t> out) { RAND_bytes(out.data(), static_cast<int>(out.size())); }

// RFC 2759 s6.
constexpr uint32_t kPasswordExpired = 648;
constexpr uint32_t kErrorChangingPassword = 709;

// Refusal of one who knows the password: no guess, so it counts for no lock-out.
AuthResult Refusal(uint32_t code, std::string_view reason) {
  AuthResult result;
  result.unjudged = true;
  result.reject_reason = std::string(reason);
  result.mschap_failure = MsChapFailure{
      .code = code,
      .challenge = {},
      .message = code == kPasswordExpired ? "Password expired" : "The password was not changed"};
  return result;
}

}  // namespace

LocalUsers::LocalUsers(std::shared_ptr<const Users> users, LocalUserSettings settings,
                       PasswordChangeParts parts)
    : parts_(std::move(parts)), rules_(MakeRules(std::move(settings))), users_(std::move(users)) {
  std::array<uint8_t, 16> octets{};
  RAND_bytes(octets.data(), octets.size());
  for (uint8_t& octet : octets) {
    octet = 'a' + octet % 26;  // a password must be UTF-8 to have an NT hash
  }
  stranger_.password = Secret(octets);
}

std::shared_ptr<const LocalUsers::Rules> LocalUsers::MakeRules(LocalUserSettings settings) {
  const bool answers_strangers = settings.eap.answers_strangers;
  return std::make_shared<const Rules>(
      Rules{.eap = eap::LocalEap(std::move(settings.eap), FillRandom),
            .answers_strangers = answers_strangers,
            .may_change_password = settings.may_change_password});
}

void LocalUsers::Reconfigure(LocalUserSettings settings) {
  std::shared_ptr<const Rules> now = MakeRules(std::move(settings));
  absl::MutexLock lock(&mutex_);
  rules_.swap(now);
}

AuthResult LocalUsers::Judge(const AuthRequest& request, const Users::Found& found,
                             const Rules& rules) const {
  const User& user = found.user != nullptr ? *found.user : stranger_;
  if (std::holds_alternative<EapExchange>(request.exchange)) {
    return rules.eap.Answer(request, user);
  }
  Verdict verdict = Verify(user, request);
  if (verdict.accepted && user.expired) {
    return Refusal(kPasswordExpired, "the password has expired");
  }
  AuthResult result;
  result.verdict = verdict.accepted ? AuthVerdict::kAccept : AuthVerdict::kReject;
  result.reject_reason = std::string(verdict.reason);
  result.authenticator_response = std::move(verdict.authenticator_response);
  result.keys = std::move(verdict.keys);
  return result;
}

void LocalUsers::ChangePassword(const AuthRequest& request, const Users::Found& found,
                                const Rules& rules, AuthDone done) const {
  Verdict verdict = Verify(*found.user, request);
  AuthResult result;
  if (!verdict.accepted) {
    if (verdict.unfit_password) {
      result = Refusal(kErrorChangingPassword, verdict.reason);
    }
    result.reject_reason = std::string(verdict.reason);
  } else if (!rules.may_change_password || !found.user->expired || parts_.write == nullptr) {
    result = Refusal(kErrorChangingPassword, "may not change the password");
  } else if (NtHashOf(*found.user).Equals(verdict.new_password.nt_hash.octets())) {
    result = Refusal(kErrorChangingPassword, "the new password is the old one");
  } else {
    result.verdict = AuthVerdict::kAccept;
    result.authenticator_response = std::move(verdict.authenticator_response);
    result.keys = std::move(verdict.keys);
    result.grants = found.user->grants();
  }
  result.user = std::string(found.name);
  if (result.verdict != AuthVerdict::kAccept) {
    return done(std::move(result));
  }
  PasswordEdit edit{.name = result.user,
                    .old_nt_hash = NtHashOf(*found.user),
                    .password = std::move(verdict.new_password.password),
                    .nt_hash = std::move(verdict.new_password.nt_hash)};
  auto accepted = std::make_shared<AuthResult>(std::move(result));
  parts_.write(std::move(edit), [post = parts_.post, call = request.call, accepted,
                                 done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) {
      std::string user = std::move(accepted->user);
      *accepted = Refusal(kErrorChangingPassword, "the password could not be changed");
      accepted->user = std::move(user);
    }
    post(call, [accepted, done] { done(std::move(*accepted)); });
  });
}

void LocalUsers::Replace(std::shared_ptr<const Users> users) {
  absl::MutexLock lock(&mutex_);
  users_.swap(users);  // the old table is let go after the lock
}

std::shared_ptr<const Users> LocalUsers::users() const {
  absl::MutexLock lock(&mutex_);
  return users_;
}

void LocalUsers::Authenticate(AuthRequest request, AuthDone done) {
  std::shared_ptr<const Users> users;
  std::shared_ptr<const Rules> rules;
  {
    absl::MutexLock lock(&mutex_);
    users = users_;
    rules = rules_;
  }
  const Users::Found found = users->Find(request.user);
  if (found.user != nullptr && std::holds_alternative<MsChapV2ChangeExchange>(request.exchange)) {
    return ChangePassword(request, found, *rules, std::move(done));
  }
  if (std::optional<AuthRequest> change = eap::LocalEap::ChangeOf(request);
      found.user != nullptr && change) {
    // `found` borrows the name of `request`, which stays where it is.
    const auto response = std::make_shared<const AuthRequest>(request.Clone());
    return ChangePassword(*change, found, *rules,
                          [rules, response, done = std::move(done)](AuthResult judged) {
                            done(rules->eap.AnswerChange(*response, std::move(judged)));
                          });
  }
  AuthResult result;
  if (found.user != nullptr || rules->answers_strangers || request.method() != AuthMethod::kEap) {
    result = Judge(request, found, *rules);
  }
  result.user = std::string(found.name);
  if (found.user == nullptr && result.verdict != AuthVerdict::kChallenge) {
    result.verdict = AuthVerdict::kReject;
    result.reject_reason = "unknown user";
    result.unknown_user = true;
  } else if (result.verdict == AuthVerdict::kAccept) {
    result.grants = found.user->grants();
  }
  done(std::move(result));
}

}  // namespace culvert
