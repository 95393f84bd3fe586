#include "controlplane/ipv6/dhcp_message.h"

#include <gtest/gtest.h>

#include "controlplane/ipv6/test_packets.h"

namespace culvert::ipv6::testing {
namespace {

// A Solicit as a home router's: DUID-LL, elapsed time, IA_NA, IA_PD with a hint, ORO, rapid commit.
const Bytes kSolicit =
    Hex("01 abcdef"
        "0001 000a 00030001 020304050607"
        "0008 0002 0000"
        "0003 000c 00000001 00000000 00000000"
        "0019 0029 00000002 00000000 00000000"
        "001a 0019 00000000 00000000 38 20010db8 00000000 00000000 00000000"
        "0006 0004 0017 0018"
        "000e 0000");

TEST(DhcpMessageTest, Solicit) {
  const auto message = ParseDhcp(kSolicit);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, DhcpType::kSolicit);
  EXPECT_EQ(message->transaction_id, 0xabcdefu);
  EXPECT_EQ(HexOf(message->client_id), "00030001020304050607");
  EXPECT_TRUE(message->server_id.empty());
  ASSERT_EQ(message->addresses.size(), 1u);
  EXPECT_EQ(message->addresses[0].id, 1u);
  ASSERT_EQ(message->prefixes.size(), 1u);
  EXPECT_EQ(message->prefixes[0].id, 2u);
  ASSERT_EQ(message->prefixes[0].leases.size(), 1u);
  EXPECT_EQ(message->prefixes[0].leases[0].prefix, Prefix("2001:db8::/56"));
  EXPECT_EQ(message->requested, (std::vector<uint16_t>{23, 24}));
  EXPECT_TRUE(message->rapid_commit);
}

// Where it may be cut without hurting: between options.
TEST(DhcpMessageTest, EveryTruncation) {
  const std::vector<size_t> whole = {4, 18, 24, 40, 85, 93};
  for (size_t len = 0; len < kSolicit.size(); ++len) {
    const auto message = ParseDhcp(wire::Octets(kSolicit).first(len));
    const bool may = std::find(whole.begin(), whole.end(), len) != whole.end();
    EXPECT_EQ(message.has_value(), may) << len;
    if (!message) {
      EXPECT_EQ(message.error(), len < 4 ? DhcpError::kTruncated : DhcpError::kBadOption) << len;
    }
  }
}

TEST(DhcpMessageTest, ValueToBytesAndBack) {
  DhcpMessage reply;
  reply.type = DhcpType::kReply;
  reply.transaction_id = 0x123456;
  reply.client_id = Hex("0003000102");
  reply.server_id = Hex("0004ff");
  DhcpAssociation address{.id = 7, .t1_s = 1800, .t2_s = 2880, .leases = {}, .status = {}};
  address.leases.push_back({Prefix("2001:db8:1:7::5/128"), 3600, 7200});
  reply.addresses.push_back(address);
  DhcpAssociation prefix{.id = 8, .t1_s = 0, .t2_s = 0, .leases = {}, .status = {}};
  prefix.status = DhcpStatus::kNoPrefixAvail;
  reply.prefixes.push_back(prefix);
  reply.dns = {Ip6("2001:db8::53")};
  reply.preference = 255;
  reply.status = DhcpStatus::kSuccess;
  reply.rapid_commit = true;
  const Bytes octets = EmitDhcp(reply);
  EXPECT_EQ(HexOf(octets),
            HexOf(Hex("07 123456"
                      "0001 0005 0003000102"
                      "0002 0003 0004ff"
                      "0003 0028 00000007 00000708 00000b40"
                      "0005 0018 20010db8 00010007 00000000 00000005 00000e10 00001c20"
                      "0019 0012 00000008 00000000 00000000 000d 0002 0006"
                      "0017 0010 20010db8 00000000 00000000 00000053"
                      "0007 0001 ff"
                      "000d 0002 0000"
                      "000e 0000")));
  const auto again = ParseDhcp(octets);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, reply);
}

TEST(DhcpMessageTest, EveryErrorHasItsName) {
  const auto error = [](const char* options) {
    const auto message = ParseDhcp(Hex("01 000000") + Hex(options));
    return message ? std::optional<DhcpError>() : message.error();
  };
  EXPECT_EQ(ParseDhcp(Hex("00 000000")).error(), DhcpError::kBadType);
  EXPECT_EQ(ParseDhcp(Hex("0c 000000")).error(), DhcpError::kBadType);  // a relay's
  EXPECT_EQ(error("0001 0000"), DhcpError::kBadDuid);
  EXPECT_EQ(error(("0002 0083" + std::string(262, '0')).c_str()), DhcpError::kBadDuid);
  EXPECT_EQ(error("0001 0001 05 0001 0001 05"), DhcpError::kRepeated);
  EXPECT_EQ(error("0006 0003 000000"), DhcpError::kBadOption);
  EXPECT_EQ(error("0017 0008 0000000000000000"), DhcpError::kBadOption);
  EXPECT_EQ(error("0007 0002 0000"), DhcpError::kBadOption);
  EXPECT_EQ(error("000e 0001 00"), DhcpError::kBadOption);
  EXPECT_EQ(error("000d 0001 00"), DhcpError::kBadOption);
  EXPECT_EQ(error("0003 000b 0000000000000000000000"), DhcpError::kBadOption);
  EXPECT_EQ(error("0003 000f 000000000000000000000000 0005 00"), DhcpError::kBadOption);
  EXPECT_EQ(error("0019 0029 000000000000000000000000"
                  "001a 0019 00000000 00000000 81 20010db8 00000000 00000000 00000000"),
            DhcpError::kBadOption);
  std::string many;
  for (int i = 0; i < 9; ++i) {
    many += "0003 000c 00000001 00000000 00000000";
  }
  EXPECT_EQ(error(many.c_str()), DhcpError::kTooMany);
  EXPECT_EQ(error(("0006 0082" + std::string(260, '0')).c_str()), DhcpError::kTooMany);
  EXPECT_EQ(error(("0017 0090" + std::string(288, '0')).c_str()), DhcpError::kTooMany);
  std::string leases = "0003 0108 00000001 00000000 00000000";
  for (int i = 0; i < 9; ++i) {
    leases += "0005 0018" + std::string(48, '0');
  }
  EXPECT_EQ(error(leases.c_str()), DhcpError::kTooMany);
}

}  // namespace
}  // namespace culvert::ipv6::testing
