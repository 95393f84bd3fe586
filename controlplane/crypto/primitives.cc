#include "controlplane/crypto/primitives.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace culvert::crypto {
namespace {

// MakeHmacMd5 is a context without a key, to be copied.
EVP_MAC_CTX* MakeHmacMd5(OSSL_LIB_CTX* context) {
  EVP_MAC* hmac = EVP_MAC_fetch(context, "HMAC", nullptr);
  EVP_MAC_CTX* out = hmac != nullptr ? EVP_MAC_CTX_new(hmac) : nullptr;
  std::string digest = "MD5";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  if (out != nullptr && EVP_MAC_CTX_set_params(out, parameters.data()) != 1) {
    EVP_MAC_CTX_free(out);
    out = nullptr;
  }
  EVP_MAC_free(hmac);
  return out;
}

// Primitives are fetched once and kept until the process ends, so that no destructor runs
// while another thread still hashes.
struct Primitives {
  OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
  OSSL_PROVIDER* standard = OSSL_PROVIDER_load(context, "default");
  OSSL_PROVIDER* legacy = OSSL_PROVIDER_load(context, "legacy");
  EVP_MD* md4 = EVP_MD_fetch(context, "MD4", nullptr);
  EVP_MD* md5 = EVP_MD_fetch(context, "MD5", nullptr);
  EVP_MD* sha1 = EVP_MD_fetch(context, "SHA1", nullptr);
  EVP_CIPHER* des = EVP_CIPHER_fetch(context, "DES-ECB", nullptr);
  EVP_CIPHER* rc4 = EVP_CIPHER_fetch(context, "RC4", nullptr);
  const EVP_MAC_CTX* hmac_md5 = MakeHmacMd5(context);
};

const Primitives& Get() {
  static const Primitives* const primitives = new Primitives;
  return *primitives;
}

Secret Digest(const EVP_MD* algorithm, std::initializer_list<Octets> parts) {
  std::array<uint8_t, EVP_MAX_MD_SIZE> out;
  unsigned len = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool ok = algorithm != nullptr && context != nullptr &&
            EVP_DigestInit_ex2(context, algorithm, nullptr) == 1;
  for (Octets part : parts) {
    ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  ok = ok && EVP_DigestFinal_ex(context, out.data(), &len) == 1;
  EVP_MD_CTX_free(context);
  if (!ok) {
    std::abort();  // going on with a made-up hash could let somebody in
  }
  Secret digest(Octets(out).first(len));
  OPENSSL_cleanse(out.data(), out.size());
  return digest;
}

// SpreadKey puts seven bits into each of eight octets, from the top; DES ignores the lowest.
std::array<uint8_t, 8> SpreadKey(std::span<const uint8_t, 7> key) {
  uint64_t bits = 0;
  for (uint8_t octet : key) {
    bits = bits << 8 | octet;
  }
  std::array<uint8_t, 8> spread;
  for (size_t i = 0; i < spread.size(); ++i) {
    spread[i] = static_cast<uint8_t>((bits >> (49 - 7 * i) & 0x7f) << 1);
  }
  OPENSSL_cleanse(&bits, sizeof(bits));
  return spread;
}

bool Is(const Secret& digest, std::initializer_list<uint8_t> first_octets) {
  return std::equal(first_octets.begin(), first_octets.end(), digest.octets().begin());
}

}  // namespace

Secret Md4(std::initializer_list<Octets> parts) { return Digest(Get().md4, parts); }
Secret Md5(std::initializer_list<Octets> parts) { return Digest(Get().md5, parts); }
Secret Sha1(std::initializer_list<Octets> parts) { return Digest(Get().sha1, parts); }

Secret HmacMd5(Octets key, std::initializer_list<Octets> parts) {
  std::array<uint8_t, 16> out;
  size_t len = 0;
  EVP_MAC_CTX* context = Get().hmac_md5 != nullptr ? EVP_MAC_CTX_dup(Get().hmac_md5) : nullptr;
  bool ok = context != nullptr && EVP_MAC_init(context, key.data(), key.size(), nullptr) == 1;
  for (Octets part : parts) {
    ok = ok && EVP_MAC_update(context, part.data(), part.size()) == 1;
  }
  ok = ok && EVP_MAC_final(context, out.data(), &len, out.size()) == 1 && len == out.size();
  EVP_MAC_CTX_free(context);
  if (!ok) {
    std::abort();
  }
  return Secret(out);
}

std::array<uint8_t, 8> DesEncrypt(std::span<const uint8_t, 7> key,
                                  std::span<const uint8_t, 8> block) {
  std::array<uint8_t, 8> spread = SpreadKey(key);
  std::array<uint8_t, 8> out{};
  int len = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  const bool ok = Get().des != nullptr && context != nullptr &&
                  EVP_EncryptInit_ex2(context, Get().des, spread.data(), nullptr, nullptr) == 1 &&
                  EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                  EVP_EncryptUpdate(context, out.data(), &len, block.data(),
                                    static_cast<int>(block.size())) == 1 &&
                  len == static_cast<int>(out.size());
  EVP_CIPHER_CTX_free(context);
  OPENSSL_cleanse(spread.data(), spread.size());
  if (!ok) {
    std::abort();
  }
  return out;
}

Secret Rc4(std::span<const uint8_t, 16> key, Octets text) {
  std::vector<uint8_t> out(text.size());
  int len = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  const bool ok = Get().rc4 != nullptr && context != nullptr &&
                  EVP_EncryptInit_ex2(context, Get().rc4, key.data(), nullptr, nullptr) == 1 &&
                  EVP_EncryptUpdate(context, out.data(), &len, text.data(),
                                    static_cast<int>(text.size())) == 1 &&
                  len == static_cast<int>(out.size());
  EVP_CIPHER_CTX_free(context);
  if (!ok) {
    std::abort();
  }
  Secret secret(out);
  OPENSSL_cleanse(out.data(), out.size());
  return secret;
}

absl::Status SelfTest() {
  const Primitives& p = Get();
  if (p.md4 == nullptr || p.des == nullptr || p.rc4 == nullptr) {
    return absl::FailedPreconditionError(
        "OpenSSL's legacy provider is missing: MS-CHAP needs its MD4, DES and RC4; install "
        "legacy.so "
        "(Debian: part of libssl3) or correct OPENSSL_MODULES");
  }
  if (p.md5 == nullptr || p.sha1 == nullptr || p.hmac_md5 == nullptr) {
    return absl::FailedPreconditionError(
        "OpenSSL's default provider gives no MD5, SHA-1 or HMAC-MD5");
  }
  const std::array<uint8_t, 3> abc = {'a', 'b', 'c'};
  // RFC 1320 A.5, RFC 1321 A.5, FIPS 180; the LM hash of an empty password (RFC 2433 A.3).
  constexpr std::array<uint8_t, 7> kZeroKey{};
  constexpr std::array<uint8_t, 8> kLmText = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
  constexpr std::array<uint8_t, 8> kLmEmpty = {0xaa, 0xd3, 0xb4, 0x35, 0xb5, 0x14, 0x04, 0xee};
  if (!Is(Md4({abc}), {0xa4, 0x48, 0x01, 0x7a}) || !Is(Md5({abc}), {0x90, 0x01, 0x50, 0x98}) ||
      !Is(Sha1({abc}), {0xa9, 0x99, 0x3e, 0x36}) || DesEncrypt(kZeroKey, kLmText) != kLmEmpty) {
    return absl::InternalError("OpenSSL computes a wrong MD4, MD5, SHA-1 or DES");
  }
  return absl::OkStatus();
}

}  // namespace culvert::crypto
