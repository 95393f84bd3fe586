#include "controlplane/crypto/mschap.h"

#include <algorithm>

#include "controlplane/crypto/primitives.h"
#include "controlplane/crypto/utf16.h"

namespace culvert::crypto {
namespace {

constexpr size_t kLmPasswordLen = 14;

Octets AsOctets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view WithoutDomain(std::string_view user) {
  const size_t backslash = user.rfind('\\');
  return backslash == std::string_view::npos ? user : user.substr(backslash + 1);
}

}  // namespace

std::span<const uint8_t, 16> SpanOf16(const Secret& hash) { return hash.octets().first<16>(); }

tl::expected<Secret, PasswordError> NtPasswordHash(std::span<const uint8_t> password) {
  const auto utf16 = ToUtf16Le(password);
  if (!utf16) {
    return tl::unexpected(utf16.error());
  }
  return Md4({utf16->octets()});
}

Secret HashNtPasswordHash(std::span<const uint8_t, 16> nt_hash) { return Md4({nt_hash}); }

tl::expected<Secret, PasswordError> LmPasswordHash(std::span<const uint8_t> password) {
  if (std::any_of(password.begin(), password.end(), [](uint8_t c) { return c >= 0x80; })) {
    return tl::unexpected(PasswordError::kNotAscii);
  }
  std::array<uint8_t, kLmPasswordLen> upper{};
  for (size_t i = 0; i < std::min(password.size(), upper.size()); ++i) {
    const uint8_t c = password[i];
    upper[i] = c >= 'a' && c <= 'z' ? static_cast<uint8_t>(c - 'a' + 'A') : c;
  }
  constexpr std::array<uint8_t, 8> kText = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
  std::array<uint8_t, 16> hash;
  const std::span<const uint8_t, kLmPasswordLen> key(upper);
  const auto low = DesEncrypt(key.first<7>(), kText);
  const auto high = DesEncrypt(key.last<7>(), kText);
  std::copy(low.begin(), low.end(), hash.begin());
  std::copy(high.begin(), high.end(), hash.begin() + 8);
  Secret result{Octets(hash)};
  OPENSSL_cleanse(upper.data(), upper.size());
  OPENSSL_cleanse(hash.data(), hash.size());
  return result;
}

std::array<uint8_t, 24> ChallengeResponse(std::span<const uint8_t, 8> challenge,
                                          std::span<const uint8_t, 16> hash) {
  std::array<uint8_t, 21> keys{};
  std::copy(hash.begin(), hash.end(), keys.begin());
  std::array<uint8_t, 24> response;
  for (size_t i = 0; i < 3; ++i) {
    const std::span<const uint8_t, 7> key(keys.data() + 7 * i, 7);
    const auto block = DesEncrypt(key, challenge);
    std::copy(block.begin(), block.end(), response.begin() + static_cast<ptrdiff_t>(8 * i));
  }
  OPENSSL_cleanse(keys.data(), keys.size());
  return response;
}

std::array<uint8_t, 8> ChallengeHash(std::span<const uint8_t, 16> peer_challenge,
                                     std::span<const uint8_t, 16> authenticator_challenge,
                                     std::string_view user) {
  const Secret digest =
      Sha1({peer_challenge, authenticator_challenge, AsOctets(WithoutDomain(user))});
  std::array<uint8_t, 8> challenge;
  std::copy_n(digest.octets().begin(), challenge.size(), challenge.begin());
  return challenge;
}

std::array<uint8_t, 24> GenerateNtResponse(std::span<const uint8_t, 16> authenticator_challenge,
                                           std::span<const uint8_t, 16> peer_challenge,
                                           std::string_view user,
                                           std::span<const uint8_t, 16> nt_hash) {
  return ChallengeResponse(ChallengeHash(peer_challenge, authenticator_challenge, user), nt_hash);
}

std::string AuthenticatorResponse(std::span<const uint8_t, 16> nt_hash,
                                  std::span<const uint8_t, 24> nt_response,
                                  std::span<const uint8_t, 16> peer_challenge,
                                  std::span<const uint8_t, 16> authenticator_challenge,
                                  std::string_view user) {
  constexpr std::string_view kMagic1 = "Magic server to client signing constant";
  constexpr std::string_view kMagic2 = "Pad to make it do more than one iteration";
  const Secret hash_hash = HashNtPasswordHash(nt_hash);
  const Secret inner = Sha1({hash_hash.octets(), nt_response, AsOctets(kMagic1)});
  const auto challenge = ChallengeHash(peer_challenge, authenticator_challenge, user);
  const Secret outer = Sha1({inner.octets(), challenge, AsOctets(kMagic2)});
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text = "S=";
  for (uint8_t octet : outer.octets()) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

}  // namespace culvert::crypto
