#include "controlplane/hooks/hook_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/config/address/address6.h"

namespace culvert {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

HookFacts Facts() {
  HookFacts facts;
  facts.call = 0xab;
  facts.user = "al\nice=\"$(reboot)\"";
  facts.peer_address = 0xc0000201;
  facts.local_address = 0xc6336401;
  facts.client_address = 0x0a4d0009;
  facts.downstream_bps = 2000000;
  facts.dns = {0x08080808, 0x08080404};
  facts.grants.filter_id = "gold";
  facts.grants.routes = {{.address = 0x0a090000, .length = 16},
                         {.address = 0x0a080000, .length = 24}};
  facts.prefix = config::ParsePrefix6("2001:db8::/64");
  return facts;
}
const HookPlace kPlace = {.interface = "culvert0", .gateway = 0x0a4d0001};

TEST(HookFacts, ArgumentsInPppdsOrder) {
  EXPECT_THAT(HookArguments(kPlace, Facts()),
              ElementsAre("culvert0", "none", "2000000", "10.77.0.1", "10.77.0.9", "192.0.2.1"));
}

TEST(HookFacts, EnvironmentOfPppdAndAccelPpp) {
  const std::vector<std::string> lines = HookEnvironment(kPlace, Facts(), nullptr);
  for (const char* line :
       {"IFNAME=culvert0", "IPLOCAL=10.77.0.1", "IPREMOTE=10.77.0.9", "CALLING_SID=192.0.2.1",
        "CALLED_SID=198.51.100.1", "DNS1=8.8.8.8", "DNS2=8.8.4.4", "RADIUS_FILTER_ID=gold",
        "RADIUS_FRAMED_ROUTE=10.9.0.0/16 10.8.0.0/24", "IPV6_PREFIX=2001:db8::/64",
        "CULVERT_CALL_ID=00000000000000ab", "LINKNAME=00000000000000ab"}) {
    EXPECT_THAT(lines, Contains(line));
  }
  EXPECT_THAT(lines, Not(Contains(StartsWith("OLDIPREMOTE="))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("CONNECT_TIME="))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("PPPD_PID="))));
  for (const std::string& line : lines) {
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(HookFacts, AddressListsAndNamesOfThePeer) {
  HookFacts facts = Facts();
  facts.grants.address_lists = "debtors,sl\now";
  facts.names = std::make_shared<const PeerNames>(
      PeerNames{.host_name = "pac1", .called_number = "55", .calling_number = "+4930"});
  const std::vector<std::string> lines = HookEnvironment(kPlace, facts, nullptr);
  for (const char* line : {"RADIUS_ADDRESS_LIST=debtors,sl\\x0aow", "CALLING_SID=+4930",
                           "CALLED_SID=55", "CULVERT_PEER_HOST=pac1", "REMOTENUMBER=192.0.2.1"}) {
    EXPECT_THAT(lines, Contains(line));
  }
}

TEST(HookFacts, TotalsComeWithTheEnd) {
  const HookTotals totals = {.connect_time_s = 5,
                             .octets_sent = 1,
                             .octets_received = 2,
                             .packets_sent = 3,
                             .packets_received = 4,
                             .end_cause = "terminated"};
  HookFacts facts = Facts();
  facts.old_address = 0x0a4d0008;
  const std::vector<std::string> lines = HookEnvironment(kPlace, facts, &totals);
  for (const char* line : {"CONNECT_TIME=5", "BYTES_SENT=1", "BYTES_RCVD=2", "PACKETS_SENT=3",
                           "PACKETS_RCVD=4", "OLDIPREMOTE=10.77.0.8"}) {
    EXPECT_THAT(lines, Contains(line));
  }
}

}  // namespace
}  // namespace culvert
