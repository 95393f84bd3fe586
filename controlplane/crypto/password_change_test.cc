#include "controlplane/crypto/password_change.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "controlplane/crypto/primitives.h"
#include "controlplane/crypto/utf16.h"
#include "tests/vectors/vectors.h"

namespace culvert::crypto {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;

std::span<const uint8_t> Octets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string TextOf(const Secret& secret) {
  return {secret.octets().begin(), secret.octets().end()};
}
Secret HashOf(std::string_view password) { return NtPasswordHash(Octets(password)).value(); }

using Block = std::array<uint8_t, kPasswordBlockLen>;

// Seal encrypts raw octets as a client would a password.
struct Sealed {
  Block block{};
  std::array<uint8_t, 16> hash{};
};
Sealed Seal(std::span<const uint8_t> utf16, uint32_t len, const Secret& old_hash) {
  Block clear{};
  std::copy(utf16.begin(), utf16.end(), clear.begin() + 512 - utf16.size());
  for (size_t i = 0; i < 4; ++i) {
    clear[512 + i] = static_cast<uint8_t>(len >> (8 * i));
  }
  const Secret encrypted = Rc4(SpanOf16(old_hash), clear);
  Sealed sealed;
  std::copy(encrypted.octets().begin(), encrypted.octets().end(), sealed.block.begin());
  sealed.hash = EncryptHash(SpanOf16(old_hash), SpanOf16(Md4({utf16})));
  return sealed;
}
ChangeError ErrorOf(const Sealed& sealed, const Secret& old_hash) {
  const auto opened = OpenNewPassword(sealed.block, sealed.hash, SpanOf16(old_hash));
  EXPECT_FALSE(opened.has_value());
  return opened ? ChangeError{} : opened.error();
}

TEST(PasswordChange, VectorBothWays) {
  const auto& v = Vectors()["mschapv2_change_password"];
  const Secret old_hash = HashOf(v["old_password"].get<std::string>());
  const std::string new_password = v["new_password"];
  Block block;
  std::iota(block.begin(), block.end(), uint8_t{0});  // the vector's filler
  ASSERT_TRUE(EncryptPasswordBlock(Octets(new_password), SpanOf16(old_hash), block).has_value());
  EXPECT_EQ(ToHex(block), v["encrypted_pwblock"]);
  const Secret new_hash = HashOf(new_password);
  EXPECT_EQ(ToHex(new_hash.octets()), v["new_nt_hash"]);
  const auto hash = EncryptHash(SpanOf16(old_hash), SpanOf16(new_hash));
  EXPECT_EQ(ToHex(hash), v["encrypted_hash"]);

  const auto opened = OpenNewPassword(block, hash, SpanOf16(old_hash));
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(TextOf(opened->password), new_password);
  EXPECT_EQ(ToHex(opened->nt_hash.octets()), v["new_nt_hash"]);
}

TEST(PasswordChange, WhoDoesNotKnowTheOldPassword) {
  const Secret old_hash = HashOf("clientPass");
  const auto utf16 = ToUtf16Le(Octets("newPass1"));
  Sealed sealed = Seal(utf16->octets(), 16, HashOf("guess"));
  EXPECT_EQ(ErrorOf(sealed, old_hash), ChangeError::kUnknownOldPassword);
  sealed = Seal(utf16->octets(), 16, old_hash);
  sealed.hash[15] ^= 1;
  EXPECT_EQ(ErrorOf(sealed, old_hash), ChangeError::kUnknownOldPassword);
  for (const uint32_t len : {0u, 14u, 513u, 0x10000u, 0xffffffffu}) {  // none is the one hashed
    EXPECT_EQ(ErrorOf(Seal(utf16->octets(), len, old_hash), old_hash),
              ChangeError::kUnknownOldPassword)
        << len;
  }
}

TEST(PasswordChange, PasswordsThatAreNotFit) {
  const Secret old_hash = HashOf("clientPass");
  EXPECT_EQ(ErrorOf(Seal({}, 0, old_hash), old_hash), ChangeError::kUnfitPassword);
  for (const char* utf16 : {"00d8", "4100dcdc", "00dc00d8", "4100d8", "41"}) {
    const auto octets = FromHex(utf16);
    EXPECT_EQ(ErrorOf(Seal(octets, static_cast<uint32_t>(octets.size()), old_hash), old_hash),
              ChangeError::kUnfitPassword)
        << utf16;
  }
}

TEST(PasswordChange, LongestAndBeyondTheBasicPlane) {
  const Secret old_hash = HashOf("clientPass");
  std::string longest;
  for (int i = 0; i < 128; ++i) {
    longest += "\xf0\x9f\x94\x91";  // a key: two units
  }
  for (const std::string& password :
       {longest, std::string("na\xc3\xafve \xe2\x82\xac"), std::string("x")}) {
    Block block{};
    ASSERT_TRUE(EncryptPasswordBlock(Octets(password), SpanOf16(old_hash), block).has_value());
    const auto hash = EncryptHash(SpanOf16(old_hash), SpanOf16(HashOf(password)));
    const auto opened = OpenNewPassword(block, hash, SpanOf16(old_hash));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(TextOf(opened->password), password);
  }
  Block block{};
  EXPECT_FALSE(EncryptPasswordBlock(Octets(longest + "x"), SpanOf16(old_hash), block).has_value());
}

}  // namespace
}  // namespace culvert::crypto
