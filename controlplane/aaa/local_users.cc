#include "controlplane/aaa/local_users.h"

#include <openssl/rand.h>

#include <array>

#include "controlplane/aaa/verify.h"

namespace culvert {

namespace {

void FillRandom(std::span<uint8_t> out) { RAND_bytes(out.data(), static_cast<int>(out.size())); }

}  // namespace

LocalUsers::LocalUsers(std::shared_ptr<const Users> users, eap::Settings eap)
    : eap_(MakeEap(std::move(eap))), users_(std::move(users)) {
  std::array<uint8_t, 16> octets{};
  RAND_bytes(octets.data(), octets.size());
  for (uint8_t& octet : octets) {
    octet = 'a' + octet % 26;  // a password must be UTF-8 to have an NT hash
  }
  stranger_.password = Secret(octets);
}

std::shared_ptr<const LocalUsers::Eap> LocalUsers::MakeEap(eap::Settings settings) {
  const bool answers_strangers = settings.answers_strangers;
  return std::make_shared<const Eap>(Eap{.server = eap::LocalEap(std::move(settings), FillRandom),
                                         .answers_strangers = answers_strangers});
}

void LocalUsers::Reconfigure(eap::Settings eap) {
  std::shared_ptr<const Eap> now = MakeEap(std::move(eap));
  absl::MutexLock lock(&mutex_);
  eap_.swap(now);
}

AuthResult LocalUsers::Judge(const AuthRequest& request, const Users::Found& found,
                             const Eap& eap) const {
  const User& user = found.user != nullptr ? *found.user : stranger_;
  AuthResult result;
  if (std::holds_alternative<EapExchange>(request.exchange)) {
    return eap.server.Answer(request, user);
  }
  Verdict verdict = Verify(user, request);
  result.verdict = verdict.accepted ? AuthVerdict::kAccept : AuthVerdict::kReject;
  result.reject_reason = std::string(verdict.reason);
  result.authenticator_response = std::move(verdict.authenticator_response);
  result.keys = std::move(verdict.keys);
  return result;
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
  std::shared_ptr<const Eap> eap;
  {
    absl::MutexLock lock(&mutex_);
    users = users_;
    eap = eap_;
  }
  const Users::Found found = users->Find(request.user);
  AuthResult result;
  if (found.user != nullptr || eap->answers_strangers || request.method() != AuthMethod::kEap) {
    result = Judge(request, found, *eap);
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
