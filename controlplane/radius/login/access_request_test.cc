#include "controlplane/radius/login/access_request.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "controlplane/radius/signing.h"
#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using testing::FromHex;
using testing::ToHex;
using Bytes = std::vector<uint8_t>;

template <size_t kLen>
std::array<uint8_t, kLen> ArrayOf(const std::string& hex) {
  std::array<uint8_t, kLen> out{};
  const Bytes octets = FromHex(hex);
  std::copy_n(octets.begin(), kLen, out.begin());
  return out;
}

AuthRequest Login(AuthExchange exchange) {
  return {.call = {.id = 0x1234,
                   .nas_port = 7,
                   .peer_address = 0xc6336401,
                   .local_address = 0xc0000201,
                   .listener = 0},
          .user = "User",
          .exchange = std::move(exchange),
          .state = {}};
}

const AccessSettings kSettings = {
    .nas = {.identifier = "gw", .ipv4 = 0xc0000201, .ipv6 = {}, .host_name = "culvert"},
    .framed_mtu = 1396};

// A request as the server reads it; holds what it borrows from.
struct Parsed {
  explicit Parsed(const Request& request) : octets(kHeaderLen), error(request.attributes.error()) {
    octets.insert(octets.end(), request.attributes.octets().begin(),
                  request.attributes.octets().end());
    octets[2] = static_cast<uint8_t>(octets.size() >> 8);
    octets[3] = static_cast<uint8_t>(octets.size());
    packet = *Parse(octets);
  }
  std::string Hex(AttributeId id) const {
    const Attribute* attribute = packet.Find(id);
    return attribute == nullptr ? "absent" : ToHex(attribute->value);
  }
  std::string Text(AttributeId id) const {
    const Attribute* attribute = packet.Find(id);
    return attribute == nullptr ? "absent" : std::string(TextOf(attribute->value));
  }
  Bytes octets;
  std::optional<PacketError> error;
  Packet packet;
};

TEST(AccessRequest, SaysWhoAsksAndFromWhere) {
  const Parsed parsed(MakeAccessRequest(Login(PapExchange{}), kSettings));
  EXPECT_FALSE(parsed.error.has_value());
  EXPECT_EQ(parsed.Text(attr::kUserName), "User");
  EXPECT_EQ(parsed.Text(attr::kNasIdentifier), "gw");
  EXPECT_EQ(parsed.Hex(attr::kNasIpAddress), "c0000201");
  EXPECT_EQ(parsed.Hex(attr::kNasIpv6Address), "absent");
  EXPECT_EQ(parsed.Hex(attr::kNasPort), "00000007");
  EXPECT_EQ(parsed.Hex(attr::kNasPortType), "00000005");
  EXPECT_EQ(parsed.Text(attr::kNasPortId), "pptp7");
  EXPECT_EQ(parsed.Hex(attr::kServiceType), "00000002");
  EXPECT_EQ(parsed.Hex(attr::kFramedProtocol), "00000001");
  EXPECT_EQ(parsed.Text(attr::kCallingStationId), "198.51.100.1");
  EXPECT_EQ(parsed.Text(attr::kCalledStationId), "192.0.2.1");
  EXPECT_EQ(parsed.Text(attr::kAcctSessionId), "0000000000001234");
  EXPECT_EQ(parsed.Hex(attr::kTunnelType), "00000001");
  EXPECT_EQ(parsed.Hex(attr::kTunnelMediumType), "00000001");
  EXPECT_EQ(parsed.Text(attr::kTunnelClientEndpoint), "198.51.100.1");
  EXPECT_EQ(parsed.Text(attr::kTunnelServerEndpoint), "192.0.2.1");
  EXPECT_EQ(parsed.Text(attr::kTunnelServerAuthId), "culvert");
  EXPECT_EQ(parsed.Text(attr::kConnectInfo), "PPTP");
  EXPECT_EQ(parsed.Hex(attr::kChargeableUserIdentity), "00");
  EXPECT_EQ(parsed.Hex(attr::kTunnelClientAuthId), "absent");
  EXPECT_EQ(parsed.Hex(attr::kFramedMtu), "absent");
  EXPECT_EQ(parsed.Hex(attr::kState), "absent");
}

TEST(AccessRequest, AnIncomingCallHasItsTelephoneNumbers) {
  AuthRequest login = Login(PapExchange{});
  login.call.names = std::make_shared<const PeerNames>(
      PeerNames{.host_name = "pac1", .called_number = "55", .calling_number = "+49 30 1234"});
  const Parsed parsed(MakeAccessRequest(login, kSettings));
  EXPECT_EQ(parsed.Text(attr::kCallingStationId), "+49 30 1234");
  EXPECT_EQ(parsed.Text(attr::kCalledStationId), "55");
  EXPECT_EQ(parsed.Text(attr::kTunnelClientAuthId), "pac1");
  EXPECT_EQ(parsed.Text(attr::kTunnelClientEndpoint), "198.51.100.1") << "that is the PAC's";
  EXPECT_EQ(parsed.Text(attr::kTunnelServerEndpoint), "192.0.2.1");
}

TEST(AccessRequest, TheLongestStateGoesBackWhole) {
  AuthRequest login = Login(EapExchange{.packet = {2, 1, 0, 5, 1}});
  login.state = Bytes(1 + kMaxValueLen, 0xab);
  login.state[0] = 3;  // the server
  const Request request = MakeAccessRequest(login, kSettings);
  EXPECT_EQ(request.server, 3u);
  const Parsed parsed(request);
  EXPECT_FALSE(parsed.error.has_value());
  EXPECT_EQ(parsed.packet.Find(attr::kState)->value.size(), kMaxValueLen);
}

TEST(AccessRequest, EachMethodHasItsAttributes) {
  PapExchange pap;
  pap.password = Secret(Bytes{'p', 'w'});
  const Request request = MakeAccessRequest(Login(std::move(pap)), kSettings);
  EXPECT_TRUE(request.user_password->Equals(Bytes{'p', 'w'}));

  const Parsed chap(MakeAccessRequest(
      Login(ChapMd5Exchange{.identifier = 9, .challenge = {1, 2, 3}, .response = {4, 5}}),
      kSettings));
  EXPECT_EQ(chap.Hex(attr::kChapPassword), "090405" + std::string(28, '0'));
  EXPECT_EQ(chap.Hex(attr::kChapChallenge), "010203");

  const Parsed mschap(MakeAccessRequest(
      Login(MsChapExchange{
          .identifier = 9, .challenge = {1}, .lm_response = {2}, .nt_response = {3}, .flags = 1}),
      kSettings));
  EXPECT_EQ(mschap.Hex(attr::kMsChapChallenge), "01" + std::string(14, '0'));
  EXPECT_EQ(mschap.Hex(attr::kMsChapResponse),
            "090102" + std::string(46, '0') + "03" + std::string(46, '0'));
}

// The same octets as in the vectors, whose client is RFC 2759's.
TEST(AccessRequest, MsChapV2AsInTheVectors) {
  const Bytes vector =
      FromHex(testing::Vectors()["radius_mschapv2_exchange"]["access_request"].get<std::string>());
  const Packet expected = *Parse(vector);
  const Parsed parsed(MakeAccessRequest(
      Login(MsChapV2Exchange{
          .identifier = 7,
          .challenge = ArrayOf<16>("5b5d7c7d7b3f2f3e3c2c602132262628"),
          .peer_challenge = ArrayOf<16>("21402324255e262a28295f2b3a337c7e"),
          .nt_response = ArrayOf<24>("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")}),
      kSettings));
  for (AttributeId id : {attr::kMsChapChallenge, attr::kMsChap2Response}) {
    EXPECT_EQ(parsed.Hex(id), ToHex(expected.Find(id)->value));
  }
}

TEST(AccessRequest, AChangedPasswordGoesInThreePieces) {
  MsChapV2ChangeExchange change{.identifier = 5, .challenge = {1}, .flags = 0x0102};
  for (size_t i = 0; i < change.encrypted_password.size(); ++i) {
    change.encrypted_password[i] = static_cast<uint8_t>(i * 7);
  }
  change.encrypted_hash.fill(0xaa);
  change.peer_challenge.fill(0xbb);
  change.nt_response.fill(0xcc);
  const Parsed parsed(MakeAccessRequest(Login(change), kSettings));
  EXPECT_FALSE(parsed.error.has_value());
  const std::string cpw = parsed.Hex(attr::kMsChap2Cpw);
  EXPECT_EQ(cpw.size(), 2u * 68);
  EXPECT_EQ(cpw.substr(0, 6), "0705aa");
  EXPECT_EQ(cpw.substr(cpw.size() - 6), "cc0102");
  EXPECT_EQ(parsed.packet.Find(attr::kMsChap2Response), nullptr);
  Bytes joined;
  uint8_t number = 0;
  for (const Attribute& attribute : parsed.packet.attributes) {
    if (attribute.id == attr::kMsChapNtEncPw) {
      const Bytes front = {6, 5, 0, ++number};
      EXPECT_EQ(ToHex(attribute.value.first(4)), ToHex(front));
      joined.insert(joined.end(), attribute.value.begin() + 4, attribute.value.end());
    }
  }
  EXPECT_EQ(number, 3);
  EXPECT_EQ(ToHex(joined), ToHex(change.encrypted_password));
}

TEST(AccessRequest, EapCarriesStateToItsServer) {
  const Bytes response(300, 2);
  AuthRequest login = Login(EapExchange{.packet = response});
  login.state = {3, 0xaa, 0xbb};
  const Request request = MakeAccessRequest(login, kSettings);
  const Parsed parsed(request);
  EXPECT_EQ(parsed.packet.Join(attr::kEapMessage), response);
  EXPECT_EQ(parsed.packet.Count(attr::kEapMessage), 2u);
  EXPECT_EQ(parsed.Hex(attr::kState), "aabb");
  EXPECT_EQ(parsed.Hex(attr::kFramedMtu), "00000574");
  EXPECT_EQ(request.server, 3u);
  EXPECT_FALSE(request.user_password.has_value());
}

TEST(AccessRequest, WhatDoesNotFitIsRefused) {
  AuthRequest login = Login(PapExchange{});
  login.user = std::string(254, 'x');
  EXPECT_EQ(MakeAccessRequest(login, kSettings).attributes.error(), PacketError::kValueTooLong);
  EXPECT_TRUE(MakeAccessRequest(Login(EapExchange{.packet = Bytes(4096)}), kSettings)
                  .attributes.error()
                  .has_value());
  login.user.clear();
  EXPECT_FALSE(MakeAccessRequest(login, kSettings).attributes.error().has_value())
      << "no name, no User-Name";
}

}  // namespace
}  // namespace culvert::radius
