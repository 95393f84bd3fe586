#include "controlplane/aaa/verify.h"

#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/primitives.h"

namespace culvert {

namespace {

constexpr std::string_view kWrongPassword = "wrong password";
constexpr std::string_view kNeedsClear = "CHAP-MD5 needs the password in clear, not an NT hash";
constexpr std::string_view kUnfitPassword = "the new password is not fit for use";
constexpr std::string_view kNoEap = "local users have no EAP";
constexpr std::string_view kLmOnly = "client offered only an LM response";
constexpr uint8_t kUseNtResponse = 1;  // RFC 2433 s6

bool HasNtHash(const User& user) {
  return !user.nt_hash.empty() || crypto::NtPasswordHash(user.password.octets()).has_value();
}

Verdict Check(const User& user, const AuthRequest& request, const PapExchange& pap) {
  bool equal = false;
  if (user.nt_hash.empty()) {
    // Digests are compared, so that not even the length shows.
    equal = crypto::Sha1({user.password.octets()})
                .Equals(crypto::Sha1({pap.password.octets()}).octets());
  } else if (auto hash = crypto::NtPasswordHash(pap.password.octets())) {
    equal = user.nt_hash.Equals(hash->octets());
  }
  return {.accepted = equal,
          .reason = equal ? std::string_view() : kWrongPassword,
          .authenticator_response = {},
          .keys = {}};
}

Verdict Check(const User& user, const AuthRequest& request, const ChapMd5Exchange& chap) {
  // RFC 1994 s4.1: MD5 of identifier, secret, challenge.
  Secret expected = crypto::Md5({{&chap.identifier, 1}, user.password.octets(), chap.challenge});
  bool equal = expected.Equals(chap.response);
  if (user.password.empty()) {
    return {.accepted = false, .reason = kNeedsClear, .authenticator_response = {}, .keys = {}};
  }
  return {.accepted = equal,
          .reason = equal ? std::string_view() : kWrongPassword,
          .authenticator_response = {},
          .keys = {}};
}

Verdict Check(const User& user, const AuthRequest& request, const MsChapExchange& chap) {
  Verdict verdict;
  Secret nt_hash = NtHashOf(user);
  auto hash = crypto::SpanOf16(nt_hash);
  Secret expected(crypto::ChallengeResponse(chap.challenge, hash));
  bool equal = expected.Equals(chap.nt_response) && HasNtHash(user);
  Secret lm_hash;
  if (auto lm = crypto::LmPasswordHash(user.password.octets()); lm && !user.password.empty()) {
    lm_hash = std::move(*lm);
  }
  MppeStartKeys keys = crypto::MsChapStartKeys(hash, chap.challenge, lm_hash.octets());
  // DEVIATION: RFC 2433 s6 lets a client ask to be judged by its LM response. It is worth seven
  // letters at a time, so no.
  if ((chap.flags & kUseNtResponse) == 0) {
    verdict.reason = kLmOnly;
  } else if (!equal) {
    verdict.reason = kWrongPassword;
  } else {
    verdict.accepted = true;
    verdict.keys = std::move(keys);
  }
  return verdict;
}

Verdict Check(std::span<const uint8_t, 16> hash, bool usable, const AuthRequest& request,
              const MsChapV2Exchange& chap) {
  Verdict verdict;
  Secret expected(
      crypto::GenerateNtResponse(chap.challenge, chap.peer_challenge, request.user, hash));
  bool equal = expected.Equals(chap.nt_response) && usable;
  std::string response = crypto::AuthenticatorResponse(hash, chap.nt_response, chap.peer_challenge,
                                                       chap.challenge, request.user);
  MppeStartKeys keys = crypto::MsChapV2StartKeys(hash, chap.nt_response);
  verdict.accepted = equal;
  if (equal) {
    verdict.authenticator_response = std::move(response);
    verdict.keys = std::move(keys);
  } else {
    verdict.reason = kWrongPassword;
  }
  return verdict;
}

Verdict Check(const User& user, const AuthRequest& request, const MsChapV2Exchange& chap) {
  const Secret hash = NtHashOf(user);
  return Check(crypto::SpanOf16(hash), HasNtHash(user), request, chap);
}

// RFC 2759 s7: the new password comes encrypted with the old hash, and the response is made of it.
Verdict Check(const User& user, const AuthRequest& request, const MsChapV2ChangeExchange& change) {
  Verdict verdict;
  const Secret old_hash = NtHashOf(user);
  auto changed = crypto::OpenNewPassword(change.encrypted_password, change.encrypted_hash,
                                         crypto::SpanOf16(old_hash));
  if (!changed || !HasNtHash(user)) {
    verdict.unfit_password = !changed && changed.error() == crypto::ChangeError::kUnfitPassword;
    verdict.reason = verdict.unfit_password ? kUnfitPassword : kWrongPassword;
    return verdict;
  }
  verdict = Check(crypto::SpanOf16(changed->nt_hash), true, request,
                  {.identifier = change.identifier,
                   .challenge = change.challenge,
                   .peer_challenge = change.peer_challenge,
                   .nt_response = change.nt_response});
  if (verdict.accepted) {
    verdict.new_password = std::move(*changed);
  }
  return verdict;
}
// EAP has several rounds: it does not come here.
Verdict Check(const User& user, const AuthRequest& request, const EapExchange& eap) {
  return {.accepted = false, .reason = kNoEap, .authenticator_response = {}, .keys = {}};
}

}  // namespace

Secret NtHashOf(const User& user) {
  if (!user.nt_hash.empty()) {
    return user.nt_hash.Clone();
  }
  tl::expected<Secret, crypto::PasswordError> hash = crypto::NtPasswordHash(user.password.octets());
  return hash ? std::move(*hash) : Secret(std::array<uint8_t, 16>{});
}

Verdict Verify(const User& user, const AuthRequest& request) {
  return std::visit([&](const auto& exchange) { return Check(user, request, exchange); },
                    request.exchange);
}

}  // namespace culvert
