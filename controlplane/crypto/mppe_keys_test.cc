#include "controlplane/crypto/mppe_keys.h"

#include <gtest/gtest.h>

#include "controlplane/crypto/mschap.h"
#include "tests/vectors/vectors.h"

namespace culvert::crypto {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;

std::vector<uint8_t> Hex(const nlohmann::json& hex) { return FromHex(hex.get<std::string>()); }

TEST(MppeKeys, Rfc3079Section3_5AndReceiveDirection) {
  const auto& exchange = Vectors()["rfc2759_9_2"];
  const auto& send = Vectors()["rfc3079_3_5_mschapv2"];
  const auto& receive = Vectors()["mppe_recv_keys_mschapv2"];
  const auto hash = Hex(exchange["password_hash"]);
  const auto hash_hash = Hex(exchange["password_hash_hash"]);
  const auto response = Hex(exchange["nt_response"]);
  const std::span<const uint8_t, 16> hash16(hash.data(), 16);
  const std::span<const uint8_t, 24> response24(response.data(), 24);
  EXPECT_EQ(
      ToHex(MasterKey(std::span<const uint8_t, 16>(hash_hash.data(), 16), response24).octets()),
      send["master_key"]);
  const MppeStartKeys keys = MsChapV2StartKeys(hash16, response24);
  EXPECT_EQ(ToHex(keys.send_128.octets()), send["send_start_key_16"]);
  EXPECT_EQ(ToHex(keys.send_40_56.octets()), send["send_start_key_8"]);
  EXPECT_EQ(ToHex(keys.receive_128.octets()), receive["recv_start_key_16"]);
  EXPECT_EQ(ToHex(keys.receive_40_56.octets()), receive["recv_start_key_8"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.send_40_56.octets(), 40).octets()),
            send["send_session_key40"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.send_40_56.octets(), 56).octets()),
            send["send_session_key56"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.send_128.octets(), 128).octets()),
            send["send_session_key128"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.receive_40_56.octets(), 40).octets()),
            receive["recv_session_key40"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.receive_40_56.octets(), 56).octets()),
            receive["recv_session_key56"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.receive_128.octets(), 128).octets()),
            receive["recv_session_key128"]);
}

TEST(MppeKeys, TheClientSendsWhatTheServerReceives) {
  const std::array<uint8_t, 16> hash{1};
  const std::array<uint8_t, 24> response{2};
  const MppeStartKeys server = MsChapV2StartKeys(hash, response, MppeSide::kServer);
  const MppeStartKeys client = MsChapV2StartKeys(hash, response, MppeSide::kClient);
  EXPECT_TRUE(server.send_128.Equals(client.receive_128.octets()));
  EXPECT_TRUE(server.receive_128.Equals(client.send_128.octets()));
  EXPECT_TRUE(server.send_40_56.Equals(client.receive_40_56.octets()));
  EXPECT_TRUE(server.receive_40_56.Equals(client.send_40_56.octets()));
}

TEST(MppeKeys, Rfc3079Section2_5) {
  const auto& v = Vectors()["rfc3079_2_5_mschapv1"];
  const auto nt = Hex(v["nt_password_hash"]);
  const auto challenge = Hex(v["challenge"]);
  const auto lm = Hex(v["lm_password_hash"]);
  const MppeStartKeys keys = MsChapStartKeys(std::span<const uint8_t, 16>(nt.data(), 16),
                                             std::span<const uint8_t, 8>(challenge.data(), 8), lm);
  EXPECT_EQ(ToHex(keys.send_128.octets()), v["initial_session_key128"]);
  EXPECT_EQ(ToHex(keys.receive_128.octets()), v["initial_session_key128"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.send_128.octets(), 128).octets()), v["session_key128"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.send_40_56.octets(), 40).octets()), v["session_key40"]);
  EXPECT_EQ(ToHex(InitialSessionKey(keys.receive_40_56.octets(), 56).octets()), v["session_key56"]);
}

TEST(MppeKeys, MsChapWithoutLmHashHasOnly128) {
  const std::array<uint8_t, 16> nt{};
  const std::array<uint8_t, 8> challenge{};
  const MppeStartKeys keys = MsChapStartKeys(nt, challenge, {});
  EXPECT_TRUE(keys.Has128());
  EXPECT_FALSE(keys.Has40And56());
}

}  // namespace
}  // namespace culvert::crypto
