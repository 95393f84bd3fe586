#include "controlplane/crypto/primitives.h"

#include <gtest/gtest.h>

#include "tests/vectors/vectors.h"

namespace culvert::crypto {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;

Octets AsOctets(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(Primitives, SelfTestPasses) { EXPECT_TRUE(SelfTest().ok()) << SelfTest(); }

TEST(Primitives, Md4Rfc1320) {
  for (const auto& row : Vectors()["md4_rfc1320"]["rows"]) {
    EXPECT_EQ(ToHex(Md4({AsOctets(row["msg"])}).octets()), row["digest"]);
  }
}

TEST(Primitives, Md5Rfc1321) {
  for (const auto& row : Vectors()["md5_rfc1321"]["rows"]) {
    EXPECT_EQ(ToHex(Md5({AsOctets(row["msg"])}).octets()), row["digest"]);
  }
}

TEST(Primitives, Sha1Fips180) {
  for (const auto& row : Vectors()["sha1_fips180"]["rows"]) {
    EXPECT_EQ(ToHex(Sha1({AsOctets(row["msg"])}).octets()), row["digest"]);
  }
}

TEST(Primitives, HmacMd5Rfc2202) {
  for (const auto& row : Vectors()["hmac_md5_rfc2202"]["rows"]) {
    const std::vector<uint8_t> key = FromHex(row["key"].get<std::string>());
    const std::vector<uint8_t> data = FromHex(row["data"].get<std::string>());
    EXPECT_EQ(ToHex(HmacMd5(key, {Octets(data).first(3), Octets(data).subspan(3)}).octets()),
              row["digest"]);
  }
}

TEST(Primitives, PartsAreOneString) {
  const std::string a = "message ";
  const std::string b = "digest";
  EXPECT_TRUE(Md4({AsOctets(a), {}, AsOctets(b)}).Equals(Md4({AsOctets(a + b)}).octets()));
}

TEST(Primitives, ChapMd5IsOneDigest) {
  for (const auto& row : Vectors()["chap_md5"]) {
    const auto id = row["id"].get<uint8_t>();
    const std::vector<uint8_t> challenge = FromHex(row["challenge"].get<std::string>());
    const Secret digest = Md5({Octets(&id, 1), AsOctets(row["secret"]), challenge});
    EXPECT_EQ(ToHex(digest.octets()), row["response"]);
  }
}

// Half the LM hash of an empty password (RFC 2433 A.3).
TEST(Primitives, DesKnownAnswer) {
  const std::array<uint8_t, 7> key{};
  const std::array<uint8_t, 8> text = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
  EXPECT_EQ(ToHex(DesEncrypt(key, text)), "aad3b435b51404ee");
}

}  // namespace
}  // namespace culvert::crypto
