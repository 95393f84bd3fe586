#include "controlplane/radius/hiding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using Bytes = std::vector<uint8_t>;

Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

AuthenticatorOctets AuthenticatorOf(const std::string& hex) {
  AuthenticatorOctets out{};
  const Bytes octets = FromHex(hex);
  std::copy(octets.begin(), octets.end(), out.begin());
  return out;
}

const AuthenticatorOctets kRequest = AuthenticatorOf("000102030405060708090a0b0c0d0e0f");
const Bytes kSecret = BytesOf("testing123");

// RFC 2865 s7.1: "arctangent" under "xyzzy5461".
TEST(RadiusHiding, PasswordOfTheRfc) {
  const auto hidden = HidePassword(BytesOf("arctangent"), BytesOf("xyzzy5461"),
                                   AuthenticatorOf("0f403f9473978057bd83d5cb98f4227a"));
  ASSERT_TRUE(hidden.has_value());
  EXPECT_EQ(ToHex(*hidden), "0dbe708d93d413ce3196e43f782a0aee");
}

TEST(RadiusHiding, PasswordsOfEveryLength) {
  for (size_t len = 0; len <= 128; ++len) {
    const Bytes password(len, 'p');
    const auto hidden = HidePassword(password, kSecret, kRequest);
    ASSERT_TRUE(hidden.has_value());
    EXPECT_EQ(hidden->size(), std::max<size_t>(16, (len + 15) / 16 * 16));
    const auto back = RevealPassword(*hidden, kSecret, kRequest);
    ASSERT_TRUE(back.has_value());
    EXPECT_TRUE(std::equal(password.begin(), password.end(), back->octets().begin()));
    EXPECT_TRUE(std::all_of(back->octets().begin() + static_cast<ptrdiff_t>(len),
                            back->octets().end(), [](uint8_t octet) { return octet == 0; }));
  }
  EXPECT_EQ(HidePassword(Bytes(129), kSecret, kRequest).error(), HidingError::kTooLong);
}

TEST(RadiusHiding, HiddenPasswordsAreWholeBlocks) {
  for (size_t len : {0, 1, 15, 17, 144}) {
    EXPECT_EQ(RevealPassword(Bytes(len), kSecret, kRequest).error(), HidingError::kBadLength);
  }
}

TEST(RadiusHiding, MppeKeysOfTheVectors) {
  for (const auto& row : Vectors()["radius_ms_mppe_keys"]["rows"]) {
    const Bytes key = FromHex(row["key"].get<std::string>());
    const Bytes salt = FromHex(row["salt"].get<std::string>());
    const std::string avp = row["encoded_avp"].get<std::string>();
    const std::string value = avp.substr(16);  // after both headers and the vendor
    const auto hidden =
        HideKey(key, static_cast<uint16_t>(salt[0] << 8 | salt[1]), kSecret, kRequest);
    ASSERT_TRUE(hidden.has_value());
    EXPECT_EQ(ToHex(*hidden), value);
    const auto back = RevealKey(FromHex(value), kSecret, kRequest);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(ToHex(back->octets()), row["key"]);
  }
}

TEST(RadiusHiding, TheSaltsTopBitIsSet) {
  EXPECT_EQ((*HideKey(Bytes(16), 0x0001, kSecret, kRequest))[0], 0x80);
}

TEST(RadiusHiding, KeysOfAWrongLengthAreNoKeys) {
  const Bytes value = *HideKey(Bytes(16, 'k'), 0x8001, kSecret, kRequest);
  for (size_t len = 0; len < value.size(); ++len) {
    if (len == 2 + 16) {
      continue;  // one block: a whole number of them, but the key is said to be longer
    }
    EXPECT_EQ(RevealKey(Octets(value).first(len), kSecret, kRequest).error(),
              HidingError::kBadLength);
  }
  EXPECT_EQ(RevealKey(Octets(value).first(18), kSecret, kRequest).error(),
            HidingError::kBadContent);
  EXPECT_EQ(RevealKey(*HideKey({}, 0x8001, kSecret, kRequest), kSecret, kRequest).error(),
            HidingError::kBadContent);
  // Every length octet that does not fit into the two blocks.
  for (int len = 0; len < 256; ++len) {
    Bytes changed = value;
    changed[2] ^= static_cast<uint8_t>(16 ^ len);
    EXPECT_EQ(RevealKey(changed, kSecret, kRequest).has_value(), len >= 1 && len <= 31) << len;
  }
  EXPECT_EQ(HideKey(Bytes(239), 0x8001, kSecret, kRequest).error(), HidingError::kTooLong);
  EXPECT_EQ(HideKey(Bytes(238), 0x8001, kSecret, kRequest)->size(), 2u + 240);
}

TEST(RadiusHiding, ChapMppeKeysOfTheVectors) {
  const auto& vector = Vectors()["radius_ms_chap_mppe_keys"];
  const Bytes value = FromHex(vector["encoded_avp"].get<std::string>().substr(16));
  const auto keys = RevealChapMppeKeys(value, kSecret, kRequest);
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(ToHex(keys->lm_key.octets()), vector["lm_key"]);
  EXPECT_EQ(ToHex(keys->nt_key.octets()), vector["nt_key"]);
  EXPECT_EQ(*HideChapMppeKeys(keys->lm_key.octets(), keys->nt_key.octets(), kSecret, kRequest),
            value);
}

TEST(RadiusHiding, DamagedChapMppeKeysAreNoKeys) {
  const Bytes value =
      FromHex(Vectors()["radius_ms_chap_mppe_keys"]["encoded_avp"].get<std::string>().substr(16));
  for (size_t len = 0; len < value.size(); ++len) {
    EXPECT_EQ(RevealChapMppeKeys(Octets(value).first(len), kSecret, kRequest).error(),
              HidingError::kBadLength);
  }
  Bytes padding = value;
  padding.back() ^= 1;
  EXPECT_EQ(RevealChapMppeKeys(padding, kSecret, kRequest).error(), HidingError::kBadContent);
  EXPECT_EQ(RevealChapMppeKeys(value, BytesOf("another"), kRequest).error(),
            HidingError::kBadContent);
  EXPECT_EQ(HideChapMppeKeys(Bytes(7), Bytes(16), kSecret, kRequest).error(),
            HidingError::kBadLength);
}

}  // namespace
}  // namespace culvert::radius
