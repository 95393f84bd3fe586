#include "controlplane/aaa/local_users.h"

#include <openssl/rand.h>

#include <array>

#include "controlplane/aaa/verify.h"

namespace culvert {

LocalUsers::LocalUsers(Users users) : users_(std::move(users)) {
  std::array<uint8_t, 16> octets{};
  RAND_bytes(octets.data(), octets.size());
  for (uint8_t& octet : octets) {
    octet = 'a' + octet % 26;  // a password must be UTF-8 to have an NT hash
  }
  stranger_.password = Secret(octets);
}

void LocalUsers::Authenticate(AuthRequest request, AuthDone done) {
  Users::Found found = users_.Find(request.user);
  Verdict verdict = Verify(found.user != nullptr ? *found.user : stranger_, request);
  AuthResult result;
  result.user = std::string(found.name);
  if (found.user == nullptr) {
    result.reject_reason = "unknown user";
    result.unknown_user = true;
  } else if (!verdict.accepted) {
    result.reject_reason = std::string(verdict.reason);
  } else {
    result.verdict = AuthVerdict::kAccept;
    result.authenticator_response = std::move(verdict.authenticator_response);
    result.keys = std::move(verdict.keys);
    result.grants = found.user->grants;
  }
  done(std::move(result));
}

}  // namespace culvert
