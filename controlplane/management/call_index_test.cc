// Look-ups by what names a call: they find what a scan finds, at once, whatever changes.
#include "controlplane/management/call_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "controlplane/management/call_directory.h"

namespace culvert {
namespace {

using management::v1::CallEvent;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

CallRecord Record(uint64_t id, const std::string& user, uint32_t client_address = 0) {
  CallRecord record;
  record.id = id;
  record.handle = (7ull << 32) + id + 1000;
  record.user = user;
  record.peer_address = 0xc0000201;
  record.local_address = 0xc6336401 + static_cast<uint32_t>(id % 2);
  record.client_address = client_address;
  return record;
}

class CallLookUpTest : public testing::Test {
 protected:
  CallDirectory directory_{[] { return 0; }};
};

TEST_F(CallLookUpTest, FindsByEachKey) {
  directory_.Publish(CallEvent::UP, Record(1, "alice", 0x0a4d000a));
  directory_.Publish(CallEvent::UP, Record(2, "bob", 0x0a4d000b));
  directory_.Publish(CallEvent::UP, Record(3, "alice", 0x0a4d000c));
  EXPECT_THAT(directory_.MatchingIds({.user = "alice"}), ElementsAre(1, 3));
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "bob"}), ElementsAre(2));
  EXPECT_THAT(directory_.MatchingIds({.client_address = 0x0a4d000c}), ElementsAre(3));
  EXPECT_THAT(directory_.MatchingIds({.nas_port = 1002}), ElementsAre(2));
  EXPECT_THAT(directory_.MatchingIds({.peer_address = 0xc0000201}), ElementsAre(1, 2, 3));
  EXPECT_THAT(directory_.MatchingIds({.local_address = 0xc6336402}), ElementsAre(1, 3));
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "carol"}), IsEmpty());
}

TEST_F(CallLookUpTest, FindsByEachKeyOfIpv6AndOfServers) {
  const auto prefix = [](const char* text) { return config::ParsePrefix6(text); };
  CallRecord record = Record(1, "alice");
  record.ipv6_interface_id = 0xfe00000000000001;
  record.ipv6_prefix = prefix("2001:db8:1::/64");
  record.ipv6_delegated_prefix = prefix("2001:db8:f000::/56");
  record.names = std::make_shared<const PeerNames>(
      PeerNames{.host_name = "pac", .called_number = "55", .calling_number = "+4930"});
  record.marks = std::make_shared<const AccountingMarks>(
      AccountingMarks{.chargeable_identity = std::string("c\0i", 3), .ms_chap_domain = "D"});
  directory_.Publish(CallEvent::UP, record);
  CallRecord other = Record(2, "bob");
  other.ipv6_interface_id = 1;
  other.ipv6_prefix = prefix("2001:db8:1::/63");
  directory_.Publish(CallEvent::UP, other);
  for (const CallFilter& filter :
       {CallFilter{.calling_number = "+4930"},
        CallFilter{.chargeable_identity = std::string("c\0i", 3)},
        CallFilter{.ipv6_interface_id = 0xfe00000000000001},
        CallFilter{.ipv6_prefix = prefix("2001:db8:1::/64")},
        CallFilter{.ipv6_delegated_prefix = prefix("2001:db8:f000::/56")}}) {
    EXPECT_TRUE(CallIndex().Candidates(filter).has_value()) << "no scan";
    EXPECT_THAT(directory_.MatchingIds(filter), ElementsAre(1));
  }
  EXPECT_THAT(directory_.MatchingIds({.user = "alice", .called_number = "55"}), ElementsAre(1));
  EXPECT_THAT(directory_.MatchingIds({.user = "bob", .called_number = "55"}), IsEmpty());
  EXPECT_THAT(directory_.MatchingIds({.ipv6_prefix = prefix("2001:db8:1::/63")}), ElementsAre(2));
  record.ipv6_delegated_prefix.reset();
  record.marks = nullptr;
  directory_.Update(record);
  EXPECT_THAT(directory_.MatchingIds({.ipv6_delegated_prefix = prefix("2001:db8:f000::/56")}),
              IsEmpty());
  EXPECT_THAT(directory_.MatchingIds({.chargeable_identity = std::string("c\0i", 3)}), IsEmpty());
}

TEST_F(CallLookUpTest, AllKeysMustMatch) {
  directory_.Publish(CallEvent::UP, Record(1, "alice", 0x0a4d000a));
  EXPECT_THAT(directory_.MatchingIds({.user = "alice", .client_address = 0x0a4d000a}),
              ElementsAre(1));
  EXPECT_THAT(directory_.MatchingIds({.user = "bob", .client_address = 0x0a4d000a}), IsEmpty());
  EXPECT_THAT(directory_.MatchingIds({.id = 1, .user_octets = "bob"}), IsEmpty());
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "alice", .nas_port = 1}), IsEmpty());
}

TEST_F(CallLookUpTest, FollowsWhatChanges) {
  CallRecord record = Record(1, "");
  record.handle = 0;
  directory_.Publish(CallEvent::STARTED, record);
  EXPECT_THAT(directory_.MatchingIds({.nas_port = 0}), IsEmpty()) << "it has none yet";
  record = Record(1, "alice");
  directory_.Publish(CallEvent::AUTHENTICATED, record);
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "alice"}), ElementsAre(1));
  record.user = "bob";
  record.client_address = 0x0a4d000a;
  record.handle += 5;
  directory_.Update(record);
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "alice"}), IsEmpty());
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "bob"}), ElementsAre(1));
  EXPECT_THAT(directory_.MatchingIds({.client_address = 0x0a4d000a}), ElementsAre(1));
  EXPECT_THAT(directory_.MatchingIds({.nas_port = 1006}), ElementsAre(1));
  EXPECT_THAT(directory_.MatchingIds({.nas_port = 1001}), IsEmpty());
  directory_.Publish(CallEvent::DOWN, record);
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "bob"}), IsEmpty());
  EXPECT_THAT(directory_.MatchingIds({.peer_address = 0xc0000201}), IsEmpty());
}

TEST_F(CallLookUpTest, NamesOfAnyOctets) {
  const std::string name("a\0\xff\n", 4);
  directory_.Publish(CallEvent::UP, Record(1, name));
  EXPECT_THAT(directory_.MatchingIds({.user_octets = name}), ElementsAre(1));
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "a"}), IsEmpty());
}

// Every call of a load test may have one user and one address: each must go quickly all the same.
TEST_F(CallLookUpTest, ManyCallsOfOneUserComeAndGo) {
  constexpr uint64_t kCalls = 100'000;
  for (uint64_t id = 1; id <= kCalls; ++id) {
    directory_.Publish(CallEvent::UP, Record(id, "alice", static_cast<uint32_t>(id)));
  }
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "alice"}), SizeIs(kCalls));
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "alice", .client_address = 77}),
              ElementsAre(77));
  for (uint64_t id = 1; id <= kCalls; ++id) {
    directory_.Publish(CallEvent::DOWN, Record(id, "alice", static_cast<uint32_t>(id)));
  }
  EXPECT_EQ(directory_.size(), 0u);
  EXPECT_THAT(directory_.MatchingIds({.user_octets = "alice"}), IsEmpty());
}

}  // namespace
}  // namespace culvert
