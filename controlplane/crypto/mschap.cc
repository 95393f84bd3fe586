#include "controlplane/crypto/mschap.h"

#include <algorithm>
#include <vector>

#include "controlplane/crypto/primitives.h"

namespace culvert::crypto {
namespace {

constexpr size_t kMaxPasswordUnits = 256;
constexpr size_t kLmPasswordLen = 14;

Octets AsOctets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// TakeCodePoint removes one UTF-8 code point from `in`; -1 when it is not well-formed
// (RFC 3629 s4: no overlong form, no surrogate, nothing beyond U+10FFFF).
int32_t TakeCodePoint(Octets* in) {
  const uint8_t lead = in->front();
  const size_t len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || in->size() < len) {
    return -1;
  }
  int32_t point = len == 1 ? lead : lead & (0x7f >> len);
  for (uint8_t octet : in->subspan(1, len - 1)) {
    if ((octet & 0xc0) != 0x80) {
      return -1;
    }
    point = point << 6 | (octet & 0x3f);
  }
  const bool overlong = (len == 3 && point < 0x800) || (len == 4 && point < 0x10000);
  if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    return -1;
  }
  *in = in->subspan(len);
  return point;
}

void PutUnit(uint16_t unit, std::vector<uint8_t>* out) {
  out->push_back(static_cast<uint8_t>(unit));
  out->push_back(static_cast<uint8_t>(unit >> 8));
}

tl::expected<void, PasswordError> ToUtf16Le(Octets in, std::vector<uint8_t>* out) {
  while (!in.empty()) {
    const int32_t point = TakeCodePoint(&in);
    if (point < 0) {
      return tl::unexpected(PasswordError::kInvalidUtf8);
    }
    if (point < 0x10000) {
      PutUnit(static_cast<uint16_t>(point), out);
    } else {
      PutUnit(static_cast<uint16_t>(0xd800 + ((point - 0x10000) >> 10)), out);
      PutUnit(static_cast<uint16_t>(0xdc00 + ((point - 0x10000) & 0x3ff)), out);
    }
    if (out->size() > 2 * kMaxPasswordUnits) {
      return tl::unexpected(PasswordError::kTooLong);
    }
  }
  return {};
}

std::string_view WithoutDomain(std::string_view user) {
  const size_t backslash = user.rfind('\\');
  return backslash == std::string_view::npos ? user : user.substr(backslash + 1);
}

}  // namespace

std::span<const uint8_t, 16> SpanOf16(const Secret& hash) { return hash.octets().first<16>(); }

tl::expected<Secret, PasswordError> NtPasswordHash(std::span<const uint8_t> password) {
  std::vector<uint8_t> utf16;
  utf16.reserve(2 * kMaxPasswordUnits + 4);  // never moves: what moves leaves a copy behind
  const auto converted = ToUtf16Le(password, &utf16);
  Secret hash = converted ? Md4({utf16}) : Secret();
  OPENSSL_cleanse(utf16.data(), utf16.size());
  if (!converted) {
    return tl::unexpected(converted.error());
  }
  return hash;
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
