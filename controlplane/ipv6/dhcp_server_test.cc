#include "controlplane/ipv6/dhcp_server.h"

#include <gtest/gtest.h>

#include "controlplane/ipv6/test_packets.h"

namespace culvert::ipv6::testing {
namespace {

const Bytes kClientDuid = Hex("00030001020304050607");
const Bytes kServerDuid = Hex("000400112233");
constexpr uint64_t kClientId = 5;
const config::Ipv6Prefix kAddress = Prefix("2001:db8:1:7::5/128");
const config::Ipv6Prefix kDelegated = Prefix("2001:db8:ff00::/56");

class DhcpServerTest : public ::testing::Test {
 protected:
  DhcpServerTest() {
    settings_.preferred_lifetime_s = 3600;
    settings_.valid_lifetime_s = 7200;
    settings_.server_duid = kServerDuid;
    settings_.preference = 255;
    assignment_ = {.prefix = Prefix("2001:db8:1:7::/64"),
                   .delegated_prefix = kDelegated,
                   .dns = {Ip6("2001:db8::53")}};
  }
  static DhcpMessage From(DhcpType type, bool to_us = false) {
    DhcpMessage message;
    message.type = type;
    message.transaction_id = 0x42;
    message.client_id = kClientDuid;
    if (to_us) {
      message.server_id = kServerDuid;
    }
    return message;
  }
  // WithBoth asks for an address and a prefix.
  static DhcpMessage WithBoth(DhcpMessage message) {
    message.addresses.emplace_back().id = 1;
    message.prefixes.emplace_back().id = 2;
    message.requested = {kDhcpOptionDns};
    return message;
  }
  static DhcpMessage Holding(DhcpMessage message) {
    message = WithBoth(std::move(message));
    message.addresses[0].leases.push_back({kAddress, 3600, 7200});
    message.prefixes[0].leases.push_back({kDelegated, 3600, 7200});
    return message;
  }
  DhcpAnswer Ask(const DhcpMessage& message, bool unicast = false) {
    return AnswerDhcp(message, unicast, settings_, assignment_, kClientId);
  }
  // ExpectLeases: `reply` gives all that the call has.
  static void ExpectLeases(const DhcpMessage& reply) {
    ASSERT_EQ(reply.addresses.size(), 1u);
    EXPECT_EQ(reply.addresses[0].id, 1u);
    EXPECT_EQ(reply.addresses[0].t1_s, 1800u);
    EXPECT_EQ(reply.addresses[0].t2_s, 2880u);
    EXPECT_EQ(reply.addresses[0].leases, (std::vector<DhcpLease>{{kAddress, 3600, 7200}}));
    ASSERT_EQ(reply.prefixes.size(), 1u);
    EXPECT_EQ(reply.prefixes[0].id, 2u);
    EXPECT_EQ(reply.prefixes[0].leases, (std::vector<DhcpLease>{{kDelegated, 3600, 7200}}));
    EXPECT_EQ(reply.dns, (std::vector<Address>{Ip6("2001:db8::53")}));
    EXPECT_EQ(reply.client_id, kClientDuid);
    EXPECT_EQ(reply.server_id, kServerDuid);
    EXPECT_EQ(reply.transaction_id, 0x42u);
  }

  LinkSettings settings_;
  LinkAssignment assignment_;
};

TEST_F(DhcpServerTest, FourMessages) {
  const DhcpAnswer advertise = Ask(WithBoth(From(DhcpType::kSolicit)));
  ASSERT_TRUE(advertise.reply);
  EXPECT_EQ(advertise.reply->type, DhcpType::kAdvertise);
  EXPECT_EQ(advertise.reply->preference, 255);
  ExpectLeases(*advertise.reply);
  EXPECT_FALSE(advertise.delegates);  // nothing is bound yet
  const DhcpAnswer reply = Ask(WithBoth(From(DhcpType::kRequest, true)));
  ASSERT_TRUE(reply.reply);
  EXPECT_EQ(reply.reply->type, DhcpType::kReply);
  EXPECT_FALSE(reply.reply->preference);
  ExpectLeases(*reply.reply);
  EXPECT_EQ(reply.delegates, true);
}

TEST_F(DhcpServerTest, RapidCommit) {
  DhcpMessage solicit = WithBoth(From(DhcpType::kSolicit));
  solicit.rapid_commit = true;
  const DhcpAnswer answer = Ask(solicit);
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(answer.reply->type, DhcpType::kReply);
  EXPECT_TRUE(answer.reply->rapid_commit);
  ExpectLeases(*answer.reply);
  EXPECT_EQ(answer.delegates, true);
}

TEST_F(DhcpServerTest, RenewAndRebind) {
  for (const bool renew : {true, false}) {
    DhcpMessage message = Holding(From(renew ? DhcpType::kRenew : DhcpType::kRebind, renew));
    DhcpAnswer answer = Ask(message);
    ASSERT_TRUE(answer.reply);
    EXPECT_EQ(answer.reply->type, DhcpType::kReply);
    ExpectLeases(*answer.reply);
    EXPECT_EQ(answer.delegates, true);
    // What is not ours any more ends at once.
    message.prefixes[0].leases = {{Prefix("2001:db8:ee00::/56"), 3600, 7200}};
    answer = Ask(message);
    EXPECT_EQ(
        answer.reply->prefixes[0].leases,
        (std::vector<DhcpLease>{{kDelegated, 3600, 7200}, {Prefix("2001:db8:ee00::/56"), 0, 0}}));
  }
}

TEST_F(DhcpServerTest, WithoutAnythingToGive) {
  assignment_ = {};
  for (const DhcpType type : {DhcpType::kSolicit, DhcpType::kRequest}) {
    const DhcpAnswer answer = Ask(WithBoth(From(type, type == DhcpType::kRequest)));
    ASSERT_TRUE(answer.reply);
    EXPECT_EQ(answer.reply->addresses.at(0).status, DhcpStatus::kNoAddrsAvail);
    EXPECT_EQ(answer.reply->prefixes.at(0).status, DhcpStatus::kNoPrefixAvail);
    EXPECT_TRUE(answer.reply->addresses[0].leases.empty());
    EXPECT_TRUE(answer.reply->dns.empty());
    EXPECT_FALSE(answer.delegates);
  }
}

TEST_F(DhcpServerTest, WhatIsNotThereAnyMoreHasNoBinding) {
  assignment_ = {};
  const DhcpAnswer answer = Ask(Holding(From(DhcpType::kRenew, true)));
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(answer.reply->prefixes.at(0).status, DhcpStatus::kNoBinding);
  EXPECT_EQ(answer.reply->prefixes[0].leases, (std::vector<DhcpLease>{{kDelegated, 0, 0}}));
  EXPECT_EQ(answer.reply->addresses.at(0).status, DhcpStatus::kNoBinding);
  EXPECT_FALSE(answer.delegates);
}

TEST_F(DhcpServerTest, ASecondAssociationGetsNothing) {
  DhcpMessage message = WithBoth(From(DhcpType::kSolicit));
  message.prefixes.emplace_back().id = 3;
  message.addresses.emplace_back().id = 4;
  const DhcpAnswer answer = Ask(message);
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(answer.reply->prefixes.at(0).leases.size(), 1u);
  EXPECT_EQ(answer.reply->prefixes.at(1).id, 3u);
  EXPECT_EQ(answer.reply->prefixes.at(1).status, DhcpStatus::kNoPrefixAvail);
  EXPECT_EQ(answer.reply->addresses.at(1).status, DhcpStatus::kNoAddrsAvail);
}

TEST_F(DhcpServerTest, ReleaseAndDecline) {
  DhcpAnswer answer = Ask(Holding(From(DhcpType::kRelease, true)));
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(answer.reply->status, DhcpStatus::kSuccess);
  EXPECT_TRUE(answer.reply->addresses.empty() && answer.reply->prefixes.empty());
  EXPECT_EQ(answer.delegates, false);
  answer = Ask(Holding(From(DhcpType::kDecline, true)));
  EXPECT_EQ(answer.reply->status, DhcpStatus::kSuccess);
  EXPECT_FALSE(answer.delegates);
  answer = Ask(WithBoth(From(DhcpType::kRelease, true)));  // holds nothing
  EXPECT_EQ(answer.reply->prefixes.at(0).status, DhcpStatus::kNoBinding);
  EXPECT_EQ(answer.reply->addresses.at(0).status, DhcpStatus::kNoBinding);
  EXPECT_FALSE(answer.delegates);
}

TEST_F(DhcpServerTest, Confirm) {
  DhcpMessage message = Holding(From(DhcpType::kConfirm));
  EXPECT_EQ(Ask(message).reply->status, DhcpStatus::kSuccess);
  message.addresses[0].leases[0].prefix = Prefix("2001:db8:1:8::5/128");
  EXPECT_EQ(Ask(message).reply->status, DhcpStatus::kNotOnLink);
  message.addresses[0].leases.clear();
  EXPECT_FALSE(Ask(message).reply);
}

TEST_F(DhcpServerTest, InformationRequest) {
  DhcpMessage message = From(DhcpType::kInformationRequest);
  message.requested = {kDhcpOptionDns};
  DhcpAnswer answer = Ask(message);
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(answer.reply->dns.size(), 1u);
  message.requested.clear();
  message.client_id.clear();  // may be left out
  answer = Ask(message);
  ASSERT_TRUE(answer.reply);
  EXPECT_TRUE(answer.reply->dns.empty() && answer.reply->client_id.empty());
  message.addresses.emplace_back();
  EXPECT_FALSE(Ask(message).reply);
}

// RFC 8415 s16.
TEST_F(DhcpServerTest, MessagesThatAreDiscarded) {
  for (const DhcpType type : {DhcpType::kSolicit, DhcpType::kConfirm, DhcpType::kRebind}) {
    EXPECT_FALSE(Ask(Holding(From(type, true))).reply) << "with our DUID";
    DhcpMessage nobody = Holding(From(type));
    nobody.client_id.clear();
    EXPECT_FALSE(Ask(nobody).reply);
  }
  for (const DhcpType type :
       {DhcpType::kRequest, DhcpType::kRenew, DhcpType::kRelease, DhcpType::kDecline}) {
    EXPECT_FALSE(Ask(Holding(From(type))).reply) << "to no server";
    DhcpMessage other = Holding(From(type, true));
    other.server_id.back() ^= 1;
    EXPECT_FALSE(Ask(other).reply) << "to another server";
  }
  for (const DhcpType type : {DhcpType::kAdvertise, DhcpType::kReply, DhcpType::kReconfigure}) {
    EXPECT_FALSE(Ask(Holding(From(type))).reply || Ask(Holding(From(type, true))).reply);
  }
}

TEST_F(DhcpServerTest, Unicast) {
  const DhcpAnswer answer = Ask(Holding(From(DhcpType::kRenew, true)), true);
  ASSERT_TRUE(answer.reply);
  EXPECT_EQ(answer.reply->status, DhcpStatus::kUseMulticast);
  EXPECT_TRUE(answer.reply->prefixes.empty());
  EXPECT_FALSE(answer.delegates);
  EXPECT_FALSE(Ask(WithBoth(From(DhcpType::kSolicit)), true).reply);
}

TEST(AddressInTest, KeepsThePrefix) {
  EXPECT_EQ(AddressIn(Prefix("2001:db8:1:7::/64"), 0xa1d8a5e306a755b0),
            Ip6("2001:db8:1:7:a1d8:a5e3:6a7:55b0"));
  EXPECT_EQ(AddressIn(Prefix("2001:db8::1234:0/112"), 0xffffffffffff0007), Ip6("2001:db8::1234:7"));
  EXPECT_EQ(AddressIn(Prefix("2001:db8::9/128"), 7), Ip6("2001:db8::9"));
  EXPECT_EQ(AddressIn(Prefix("2001:db8::/45"), 7), Ip6("2001:db8::7"));
}

}  // namespace
}  // namespace culvert::ipv6::testing
