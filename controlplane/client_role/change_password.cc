#include "controlplane/client_role/change_password.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <string>

#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/password_change.h"

namespace culvert::client_role {

std::optional<std::array<uint8_t, 16>> ExpiredChallenge(std::string_view failure) {
  constexpr int kPasswordExpired = 648, kCanChange = 3;
  int error = 0, version = 0;
  std::array<uint8_t, 16> challenge{};
  bool has_challenge = false;
  for (absl::string_view word :
       absl::StrSplit(absl::string_view(failure.data(), failure.size()), ' ')) {
    if (absl::ConsumePrefix(&word, "E=")) {
      (void)absl::SimpleAtoi(word, &error);
    } else if (absl::ConsumePrefix(&word, "V=")) {
      (void)absl::SimpleAtoi(word, &version);
    } else if (absl::ConsumePrefix(&word, "C=") && word.size() == 2 * challenge.size() &&
               std::all_of(word.begin(), word.end(), absl::ascii_isxdigit)) {
      const std::string octets = absl::HexStringToBytes(word);
      std::copy(octets.begin(), octets.end(), challenge.begin());
      has_challenge = true;
    } else if (absl::StartsWith(word, "M=")) {
      break;  // what follows is for people
    }
  }
  if (error != kPasswordExpired || version < kCanChange || !has_challenge) {
    return std::nullopt;
  }
  return challenge;
}

std::optional<PasswordChange> MakePasswordChange(std::string_view user,
                                                 std::span<const uint8_t, 16> old_hash,
                                                 std::span<const uint8_t> new_password,
                                                 std::span<const uint8_t, 16> challenge,
                                                 std::span<const uint8_t, 16> peer_challenge,
                                                 std::span<const uint8_t, 516> filler) {
  PasswordChange change;
  change.data.assign(filler.begin(), filler.end());
  auto new_hash = crypto::NtPasswordHash(new_password);
  if (!new_hash ||
      !crypto::EncryptPasswordBlock(new_password, old_hash,
                                    std::span<uint8_t, crypto::kPasswordBlockLen>(change.data))) {
    return std::nullopt;
  }
  change.new_hash = std::move(*new_hash);
  const auto hash = crypto::SpanOf16(change.new_hash);
  const auto encrypted_hash = crypto::EncryptHash(old_hash, hash);
  change.nt_response = crypto::GenerateNtResponse(challenge, peer_challenge, user, hash);
  const auto append = [&data = change.data](std::span<const uint8_t> octets) {
    data.insert(data.end(), octets.begin(), octets.end());
  };
  append(encrypted_hash);
  append(peer_challenge);
  append(std::array<uint8_t, 8>{});  // reserved
  append(change.nt_response);
  append(std::array<uint8_t, 2>{});  // flags
  return change;
}

}  // namespace culvert::client_role
