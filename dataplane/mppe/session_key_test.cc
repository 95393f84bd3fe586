#include "dataplane/mppe/session_key.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <algorithm>
#include <string>

#include "tests/vectors/vectors.h"

namespace culvert::dataplane::mppe {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;

Key ToKey(const std::string& hex) {
  const auto octets = FromHex(hex);
  Key key{};
  std::copy(octets.begin(), octets.end(), key.begin());
  return key;
}

std::string Hex(const Key& key, uint16_t bits) { return ToHex({key.data(), KeyLen(bits)}); }

// The same chain by OpenSSL, as RFC 3079 s3.4 words it.
std::vector<uint8_t> OpensslKey(const std::vector<uint8_t>& start, std::vector<uint8_t> session,
                                uint16_t bits, bool first) {
  std::vector<uint8_t> input = start;
  input.insert(input.end(), 40, 0x00);
  input.insert(input.end(), session.begin(), session.end());
  input.insert(input.end(), 40, 0xf2);
  std::vector<uint8_t> key(20);
  EVP_Digest(input.data(), input.size(), key.data(), nullptr, EVP_sha1(), nullptr);
  key.resize(start.size());
  if (!first) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "RC4", nullptr);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_CipherInit_ex(context, cipher, nullptr, nullptr, nullptr, 1);
    EVP_CIPHER_CTX_set_key_length(context, static_cast<int>(key.size()));
    const std::vector<uint8_t> interim = key;
    EVP_CipherInit_ex(context, nullptr, nullptr, interim.data(), nullptr, 1);
    int len = 0;
    EVP_CipherUpdate(context, key.data(), &len, interim.data(), static_cast<int>(interim.size()));
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
  }
  const uint8_t fixed[] = {0xd1, 0x26, 0x9e};
  std::copy_n(fixed, bits == 40 ? 3 : bits == 56 ? 1 : 0, key.begin());
  return key;
}

TEST(SessionKeyTest, FirstKeysOfRfc3079) {
  const auto sha1 = Sha1::Create();
  const auto& chain = Vectors()["mppe_stateless_chain_send"];
  for (const uint16_t bits : {40, 56, 128}) {
    const std::string name = std::to_string(bits);
    const Key start = ToKey(chain["start_keys"][name].get<std::string>());
    EXPECT_EQ(Hex(FirstKey(*sha1, start, bits), bits),
              chain["initial_session_keys"][name].get<std::string>());
  }
  const auto& receive = Vectors()["mppe_recv_keys_mschapv2"];
  const Key start8 = ToKey(receive["recv_start_key_8"].get<std::string>());
  const Key start16 = ToKey(receive["recv_start_key_16"].get<std::string>());
  EXPECT_EQ(Hex(FirstKey(*sha1, start8, 40), 40), receive["recv_session_key40"].get<std::string>());
  EXPECT_EQ(Hex(FirstKey(*sha1, start8, 56), 56), receive["recv_session_key56"].get<std::string>());
  EXPECT_EQ(Hex(FirstKey(*sha1, start16, 128), 128),
            receive["recv_session_key128"].get<std::string>());
}

TEST(SessionKeyTest, ChainEqualsOpenssl) {
  OSSL_PROVIDER* legacy = OSSL_PROVIDER_load(nullptr, "legacy");
  OSSL_PROVIDER* standard = OSSL_PROVIDER_load(nullptr, "default");
  ASSERT_NE(legacy, nullptr);
  const auto sha1 = Sha1::Create();
  for (const uint16_t bits : {40, 56, 128}) {
    const Key start = ToKey("000102030405060708090a0b0c0d0e0f");
    const std::vector<uint8_t> octets(start.begin(),
                                      start.begin() + static_cast<int>(KeyLen(bits)));
    Key key = FirstKey(*sha1, start, bits);
    std::vector<uint8_t> expected = OpensslKey(octets, octets, bits, true);
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(Hex(key, bits), ToHex(expected)) << bits << " after " << i;
      NextKey(*sha1, start, bits, &key);
      expected = OpensslKey(octets, expected, bits, false);
    }
  }
  OSSL_PROVIDER_unload(standard);
  OSSL_PROVIDER_unload(legacy);
}

}  // namespace
}  // namespace culvert::dataplane::mppe
