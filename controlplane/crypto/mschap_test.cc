#include "controlplane/crypto/mschap.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/vectors/vectors.h"

namespace culvert::crypto {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;

std::span<const uint8_t> Password(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <size_t N>
std::array<uint8_t, N> Array(const nlohmann::json& hex) {
  const std::vector<uint8_t> octets = FromHex(hex.get<std::string>());
  std::array<uint8_t, N> out{};
  EXPECT_EQ(octets.size(), N);
  std::copy_n(octets.begin(), std::min(N, octets.size()), out.begin());
  return out;
}

TEST(MsChapV2, Rfc2759Section9_2) {
  const auto& v = Vectors()["rfc2759_9_2"];
  const auto authenticator = Array<16>(v["authenticator_challenge"]);
  const auto peer = Array<16>(v["peer_challenge"]);
  const std::string user = v["user"];
  const std::string password = v["password"];
  const Secret hash = NtPasswordHash(Password(password)).value();
  EXPECT_EQ(ToHex(hash.octets()), v["password_hash"]);
  EXPECT_EQ(ToHex(ChallengeHash(peer, authenticator, user)), v["challenge"]);
  const auto response = GenerateNtResponse(authenticator, peer, user, SpanOf16(hash));
  EXPECT_EQ(ToHex(response), v["nt_response"]);
  EXPECT_EQ(ToHex(HashNtPasswordHash(SpanOf16(hash)).octets()), v["password_hash_hash"]);
  EXPECT_EQ(AuthenticatorResponse(SpanOf16(hash), response, peer, authenticator, user),
            "S=407A5589115FD0D6209F510FE9C04566932CDA56");
}

TEST(MsChapV2, DomainIsNotHashed) {
  const auto& v = Vectors()["rfc2759_9_2"];
  const auto authenticator = Array<16>(v["authenticator_challenge"]);
  const auto peer = Array<16>(v["peer_challenge"]);
  EXPECT_EQ(ToHex(ChallengeHash(peer, authenticator, "DOMAIN\\User")), v["challenge"]);
  EXPECT_NE(ToHex(ChallengeHash(peer, authenticator, "User@DOMAIN")), v["challenge"]);
  EXPECT_NE(ToHex(ChallengeHash(peer, authenticator, "user")), v["challenge"]);
}

// RFC 2759 s9.3's raw keys are the first fourteen octets of the hash.
TEST(MsChapV2, Rfc2759Section9_3Hash) {
  const auto& v = Vectors()["rfc2759_9_3_des_key"];
  const std::string hash =
      ToHex(NtPasswordHash(Password(v["password"].get<std::string>()))->octets());
  EXPECT_EQ(hash, v["password_hash"]);
  EXPECT_EQ(hash.substr(0, 14), v["raw_key1"]);
  EXPECT_EQ(hash.substr(14, 14), v["raw_key2"]);
}

TEST(MsChap, Rfc2433AppendixB2) {
  const auto& v = Vectors()["rfc2433_B2"];
  const Secret hash = NtPasswordHash(Password(v["password"].get<std::string>())).value();
  EXPECT_EQ(ToHex(hash.octets()), v["nt_password_hash"]);
  EXPECT_EQ(ToHex(ChallengeResponse(Array<8>(v["challenge"]), SpanOf16(hash))),
            v["nt_challenge_response"]);
}

TEST(MsChap, ClientPassWithLmHash) {
  const auto& v = Vectors()["mschapv1_clientPass"];
  const std::string password = v["password"];
  const auto challenge = Array<8>(v["challenge"]);
  const Secret lm = LmPasswordHash(Password(password)).value();
  const Secret nt = NtPasswordHash(Password(password)).value();
  EXPECT_EQ(ToHex(lm.octets()), v["lm_hash"]);
  EXPECT_EQ(ToHex(nt.octets()), v["nt_hash"]);
  EXPECT_EQ(ToHex(ChallengeResponse(challenge, SpanOf16(lm))), v["lm_challenge_response"]);
  EXPECT_EQ(ToHex(ChallengeResponse(challenge, SpanOf16(nt))), v["nt_challenge_response"]);
}

TEST(NtPasswordHash, TakesEveryWellFormedCodePoint) {
  // U+00E9, U+20AC and U+1F511, hashed as e900 ac20 3dd8 11dd (by `openssl dgst -md4`).
  const auto hash = NtPasswordHash(Password("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91"));
  ASSERT_TRUE(hash);
  EXPECT_EQ(ToHex(hash->octets()), "c5751b3e54dc06fa063108b996e8e389");
}

TEST(NtPasswordHash, RefusesWhatIsNotUtf8) {
  for (const char* bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xff", "a\xe2\x82"}) {
    const auto hash = NtPasswordHash(Password(bad));
    ASSERT_FALSE(hash);
    EXPECT_EQ(hash.error(), PasswordError::kInvalidUtf8);
  }
}

TEST(NtPasswordHash, RefusesMoreThan256Units) {
  EXPECT_TRUE(NtPasswordHash(Password(std::string(256, 'a'))));
  const auto hash = NtPasswordHash(Password(std::string(257, 'a')));
  ASSERT_FALSE(hash);
  EXPECT_EQ(hash.error(), PasswordError::kTooLong);
}

TEST(LmPasswordHash, RefusesWhatIsNotAscii) {
  const auto hash = LmPasswordHash(Password("caf\xc3\xa9"));
  ASSERT_FALSE(hash);
  EXPECT_EQ(hash.error(), PasswordError::kNotAscii);
}

TEST(LmPasswordHash, UsesFourteenOctets) {
  const Secret cut = LmPasswordHash(Password("abcdefghijklmnXYZ")).value();
  EXPECT_TRUE(cut.Equals(LmPasswordHash(Password("ABCDEFGHIJKLMN"))->octets()));
}

}  // namespace
}  // namespace culvert::crypto
