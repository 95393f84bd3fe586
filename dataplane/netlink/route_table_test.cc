#include "dataplane/netlink/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/config/address/address.h"

namespace culvert::dataplane {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kAccess = 10;  // interface indexes
constexpr uint32_t kCore = 11;
constexpr uint32_t kClients = 12;
constexpr uint32_t kManagement = 2;  // the kernel's alone
constexpr uint32_t kGateway = 0x0a000001;
constexpr uint32_t kOther = 0x0a000002;

// Writes down what it is told: "192.0.2.0/24 port 1 via 10.0.0.1", "-192.0.2.0/24".
class Journal : public RouteTable::Sink {
 public:
  void Set(uint32_t prefix, uint8_t len, const RouteTarget& target) override {
    std::string line = config::FormatPrefix({prefix, len});
    switch (target.kind) {
      case RouteTarget::Kind::kLocal:
        line += " local";
        break;
      case RouteTarget::Kind::kClients:
        line += " clients";
        break;
      case RouteTarget::Kind::kBlackhole:
        line += " blackhole";
        break;
      case RouteTarget::Kind::kAdjacency:
        line += " port " + std::to_string(target.port);
        if (target.gateway != 0) line += " via " + config::FormatIpv4(target.gateway);
    }
    lines_.push_back(line);
  }
  void Remove(uint32_t prefix, uint8_t len) override {
    std::string line = "-";
    lines_.push_back(line.append(config::FormatPrefix({prefix, len})));
  }
  std::vector<std::string> Flush(RouteTable* table) {
    lines_.clear();
    table->Flush(this);
    return lines_;
  }

 private:
  std::vector<std::string> lines_;
};

KernelRoute Route(const char* prefix, std::vector<KernelNextHop> hops, uint32_t priority = 0) {
  const config::Ipv4Prefix parsed = *config::ParsePrefix(prefix);
  KernelRoute route;
  route.prefix = parsed.address;
  route.len = parsed.length;
  route.priority = priority;
  route.next_hops = std::move(hops);
  return route;
}

KernelNextHop Via(uint32_t interface_index, uint32_t gateway = 0) {
  KernelNextHop hop;
  hop.interface_index = interface_index;
  hop.gateway = gateway;
  return hop;
}

class RouteTableTest : public testing::Test {
 protected:
  RouteTable table_{{.ports = {{kAccess, 0}, {kCore, 1}}, .clients = kClients}};
  Journal journal_;
};

TEST_F(RouteTableTest, TellsWhatEachKindOfRouteMeans) {
  KernelRoute local = Route("192.0.2.1/32", {Via(kAccess)});
  local.local_table = true;
  local.type = KernelRoute::Type::kLocal;
  KernelRoute discard = Route("203.0.113.0/24", {});
  discard.type = KernelRoute::Type::kDiscard;
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}), false);
  table_.Add(Route("10.77.0.0/16", {Via(kClients)}), false);
  table_.Add(Route("192.0.2.0/24", {Via(kAccess)}), false);
  table_.Add(local, false);
  table_.Add(discard, false);
  EXPECT_THAT(journal_.Flush(&table_),
              ElementsAre("0.0.0.0/0 port 1 via 10.0.0.1", "10.77.0.0/16 clients",
                          "192.0.2.0/24 port 0", "192.0.2.1/32 local", "203.0.113.0/24 blackhole"));
  EXPECT_THAT(journal_.Flush(&table_), IsEmpty());
}

TEST_F(RouteTableTest, LoopbackAndForeignInterfacesAreBlackholes) {
  KernelRoute loopback = Route("127.0.0.0/8", {Via(1)});
  loopback.local_table = true;
  loopback.type = KernelRoute::Type::kLocal;
  table_.Add(loopback, false);
  table_.Add(Route("172.16.0.0/12", {Via(kManagement, kGateway)}), false);
  EXPECT_THAT(journal_.Flush(&table_),
              ElementsAre("127.0.0.0/8 blackhole", "172.16.0.0/12 blackhole"));
}

TEST_F(RouteTableTest, MultipathTakesTheFirstUsableHop) {
  KernelNextHop dead = Via(kAccess, kGateway);
  dead.dead = true;
  KernelNextHop ipv6 = Via(kAccess);
  ipv6.foreign_family = true;
  table_.Add(Route("198.51.100.0/24", {dead, ipv6, Via(kManagement, kGateway), Via(kCore, kOther),
                                       Via(kAccess, kGateway)}),
             false);
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("198.51.100.0/24 port 1 via 10.0.0.2"));
}

TEST_F(RouteTableTest, LowestPriorityWinsAndTheNextTakesOver) {
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}, 100), false);
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("0.0.0.0/0 port 1 via 10.0.0.1"));
  table_.Add(Route("0.0.0.0/0", {Via(kAccess, kOther)}, 50), false);
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("0.0.0.0/0 port 0 via 10.0.0.2"));
  table_.Add(Route("0.0.0.0/0", {Via(kClients)}, 200), false);
  EXPECT_THAT(journal_.Flush(&table_), IsEmpty());
  table_.Remove(Route("0.0.0.0/0", {Via(kAccess, kOther)}, 50));
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("0.0.0.0/0 port 1 via 10.0.0.1"));
  table_.Remove(Route("0.0.0.0/0", {Via(kCore, kGateway)}, 100));
  table_.Remove(Route("0.0.0.0/0", {Via(kClients)}, 200));
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("-0.0.0.0/0"));
}

TEST_F(RouteTableTest, LocalTableGoesBeforeMain) {
  KernelRoute local = Route("192.0.2.1/32", {Via(kAccess)}, 1000);
  local.local_table = true;
  local.type = KernelRoute::Type::kLocal;
  table_.Add(Route("192.0.2.1/32", {Via(kCore, kGateway)}), false);
  table_.Add(local, false);
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("192.0.2.1/32 local"));
}

TEST_F(RouteTableTest, ReplaceTakesThePlaceOfTheSamePriority) {
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}, 10), false);
  table_.Add(Route("0.0.0.0/0", {Via(kClients)}, 20), false);
  table_.Flush(&journal_);
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kOther)}, 10), true);
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("0.0.0.0/0 port 1 via 10.0.0.2"));
  table_.Remove(Route("0.0.0.0/0", {Via(kCore, kOther)}, 10));
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("0.0.0.0/0 clients"));
}

TEST_F(RouteTableTest, ANewDumpTellsOnlyDifferences) {
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}), false);
  table_.Add(Route("10.77.0.0/16", {Via(kClients)}), false);
  table_.Flush(&journal_);
  table_.Clear();
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}), false);
  table_.Add(Route("10.78.0.0/16", {Via(kClients)}), false);
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("-10.77.0.0/16", "10.78.0.0/16 clients"));
}

TEST_F(RouteTableTest, RemovingWhatIsNotThereChangesNothing) {
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}), false);
  table_.Flush(&journal_);
  table_.Remove(Route("0.0.0.0/0", {Via(kCore, kOther)}));
  table_.Remove(Route("10.0.0.0/8", {Via(kCore, kOther)}));
  EXPECT_THAT(journal_.Flush(&table_), IsEmpty());
  EXPECT_EQ(table_.num_prefixes(), 1U);
}

TEST_F(RouteTableTest, RemovalFindsARouteWhoseHopHasDiedSince) {
  table_.Add(Route("0.0.0.0/0", {Via(kCore, kGateway)}), false);
  table_.Flush(&journal_);
  KernelNextHop dead = Via(kCore, kGateway);
  dead.dead = true;
  table_.Remove(Route("0.0.0.0/0", {dead}));
  EXPECT_THAT(journal_.Flush(&table_), ElementsAre("-0.0.0.0/0"));
}

}  // namespace
}  // namespace culvert::dataplane
