// Packet filters of calls, from the configuration and from the user to the data plane.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

using ::culvert::testing::PppPeer;
using ::culvert::testing::ScriptedClient;

constexpr char kFilters[] = R"(
pptp.ack_delay_ms = 40
[policy]
filter = "open"
[[filters]]
name = "web"
rules = ["permit in tcp from any to any 80,443"]
[[filters]]
name = "open"
rules = ["permit in ip from any to any"]
)";

class CallFilterTest : public ControlPlaneTest {
 protected:
  // LogInAs gives the call as the data plane has it.
  dataplane::v1::CallConfig LogInAs(ScriptedClient& client) {
    client.Start();
    const uint16_t call_id = Dial(client, 7);
    peer_ = LogIn(call_id);
    return dataplane_->Calls()[HandleOf(call_id)];
  }
  PppPeer peer_;
};

TEST_F(CallFilterTest, FiltersAreThereBeforeTheCalls) {
  grants_.filter_id = "web";
  ASSERT_TRUE(Start(kFilters).ok());
  ScriptedClient client(port_);
  const dataplane::v1::CallConfig config = LogInAs(client);
  EXPECT_EQ(config.filter(), 1u);
  EXPECT_EQ(config.ack_delay_ms(), 40u);
  EXPECT_EQ(List()[0].filter(), "web");
  const auto filters = dataplane_->Filters();
  ASSERT_EQ(filters.size(), 2u);
  EXPECT_EQ(filters.at(1).rules_size(), 2);
  EXPECT_FALSE(filters.at(1).permit_upstream());
  EXPECT_TRUE(filters.at(1).permit_downstream());
}

TEST_F(CallFilterTest, WhoHasNoneHasTheDefault) {
  ASSERT_TRUE(Start(kFilters).ok());
  ScriptedClient client(port_);
  EXPECT_EQ(LogInAs(client).filter(), 2u);
  EXPECT_EQ(List()[0].filter(), "open");
}

TEST_F(CallFilterTest, AnUnknownNameLetsNobodyIn) {
  grants_.filter_id = "gold";
  ASSERT_TRUE(Start(kFilters).ok());
  ScriptedClient client(port_);
  LogInAs(client);
  EXPECT_TRUE(peer_.pap_refused);
}

TEST_F(CallFilterTest, RulesOfAUserAreThereAsLongAsItsCall) {
  grants_.filter_rules = "deny in udp from any to any 53";
  ASSERT_TRUE(Start(kFilters).ok());
  {
    ScriptedClient client(port_);
    EXPECT_EQ(LogInAs(client).filter(), 3u);
    EXPECT_EQ(List()[0].filter(), "NAS-Filter-Rule");
    EXPECT_EQ(dataplane_->Filters().at(3).rules(0).destination_ports().first(), 53u);
  }
  EXPECT_TRUE(Eventually([&] { return dataplane_->Filters().size() == 2; }));
  EXPECT_TRUE(dataplane_->Calls().empty());
}

TEST_F(CallFilterTest, ANewDataPlaneGetsThemAgain) {
  ASSERT_TRUE(Start(kFilters).ok());
  {
    ScriptedClient client(port_);
    LogInAs(client);
  }
  dataplane_.reset();
  StartDataplane();
  EXPECT_TRUE(Eventually([&] { return dataplane_->Filters().size() == 2; }));
  ScriptedClient client(port_);
  EXPECT_EQ(LogInAs(client).filter(), 2u);
}

}  // namespace
}  // namespace culvert
