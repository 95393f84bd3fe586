// A hundred thousand routes of the real kernel, in the real forwarding table.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "dataplane/netlink/interface_setup.h"
#include "dataplane/netlink/mirror.h"
#include "dataplane/netlink/own_namespace.h"
#include "dataplane/rig/call_rig.h"
#include "dataplane/service/fake_datapath.h"
#include "dataplane/tap/tun_device.h"

namespace culvert::dataplane {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr uint32_t kNumRoutes = 10000;
#else
constexpr uint32_t kNumRoutes = 100000;
#endif
using Clock = std::chrono::steady_clock;

uint32_t Network(uint32_t i) { return Ip(20, 0, 0, 0) + (i << 8); }

class ManyRoutesTest : public testing::Test {
 protected:
  static Rig::Options Options() {
    Rig::Options options;
    options.max_routes = DatapathSpec{}.max_routes;
    options.ring_size = 4096;
    return options;
  }
  ~ManyRoutesTest() override { unlink(batch_.c_str()); }

  void MakeInterfaces() {
    for (uint16_t port = 0; port < 2; ++port) {
      const std::string name = port == 0 ? "access" : "core";
      auto tap = TunDevice::Create({.name = name, .mac = rig_.ports()[port].mac});
      ASSERT_TRUE(tap.ok()) << tap.status();
      taps_[port] = *std::move(tap);
      own_.ports[taps_[port]->index()] = port;
    }
    ASSERT_TRUE(AddAddresses("access", taps_[0]->index(), {"192.0.2.1/24"}).ok());
    ASSERT_TRUE(AddAddresses("core", taps_[1]->index(), {"198.51.100.1/24"}).ok());
    AddNeighbours();
  }
  static void AddNeighbours() {
    ASSERT_TRUE(Ip("neigh replace 192.0.2.9 lladdr 02:00:00:00:00:09 nud permanent dev access"));
    ASSERT_TRUE(Ip("neigh replace 198.51.100.9 lladdr 02:00:00:00:00:08 nud permanent dev core"));
  }
  // Has ip(8) do the same to the first `num` networks.
  bool ForAll(const std::string& what, const std::string& how, uint32_t num = kNumRoutes) {
    std::ofstream file(batch_);
    for (uint32_t i = 0; i < num; ++i) {
      const uint32_t network = Network(i);
      file << "route " << what << ' ' << (network >> 24) << '.' << (network >> 16 & 255) << '.'
           << (network >> 8 & 255) << ".0/24 " << how << '\n';
    }
    file.close();
    return Ip("-batch " + batch_);
  }
  // Sends a packet to each of 100 networks spread over all; how many left by `port`.
  size_t Leave(unsigned port) {
    rig_.Sent(0);
    rig_.Sent(1);
    for (uint32_t i = 0; i < 100; ++i) {
      rig_.ReceiveIpv4(0, MakeIpv4({kServer, Network(i * (kNumRoutes / 100)) + 5}, Bytes(8)));
    }
    rig_.Run();
    return rig_.Sent(port).size();
  }
  template <typename Action>
  static double Seconds(Action action) {
    const auto begin = Clock::now();
    action();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  const std::string batch_ = "/tmp/culvert_many_routes_test." + std::to_string(getpid());
  Rig rig_{Options()};
  std::unique_ptr<TunDevice> taps_[2];
  OwnInterfaces own_;
};

TEST_F(ManyRoutesTest, AreLoadedChangedUnderTrafficAndGoWithTheLink) {
  InNamespace([&] {
    MakeInterfaces();
    ASSERT_TRUE(ForAll("add", "via 192.0.2.9"));
    Mirror mirror(&rig_.datapath(), own_);
    const double load = Seconds([&] { ASSERT_TRUE(mirror.Start().ok()); });
    EXPECT_EQ(Leave(0), 100U);
    std::printf("%u routes read at start in %.2f s\n", kNumRoutes, load);

    // Traffic never stops while all routes change their next hop.
    std::atomic<bool> changed{false};
    double change = 0;
    std::thread changer([&] {
      change = Seconds([&] { EXPECT_TRUE(ForAll("replace", "via 198.51.100.9")); });
      changed = true;
    });
    size_t packets = 0;
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    while ((!changed || Leave(1) != 100) && Clock::now() < deadline) {
      packets += 100;
      (void)Leave(0);
    }
    changer.join();
    EXPECT_EQ(Leave(1), 100U);
    std::printf("changed in %.2f s, %zu packets meanwhile\n", change, packets);
    EXPECT_EQ(rig_.Drops("no_route") + rig_.Drops("neighbour_unresolved"), 0U);

    // The other way stands by with a worse metric, and takes over when the link goes.
    ASSERT_TRUE(Ip("route add default via 192.0.2.9 metric 500"));
    const double down = Seconds([&] {
      ASSERT_TRUE(Ip("link set core down"));
      EXPECT_TRUE(Eventually([&] { return Leave(0) == 100; }));
    });
    std::printf("link down: other way after %.2f s\n", down);
    ASSERT_TRUE(Ip("link set core up"));
    AddNeighbours();
    ASSERT_TRUE(ForAll("add", "via 198.51.100.9"));
    EXPECT_TRUE(Eventually([&] { return Leave(1) == 100; }));
    const double removal = Seconds([&] { ASSERT_TRUE(ForAll("del", "via 198.51.100.9")); });
    EXPECT_TRUE(Eventually([&] { return Leave(0) == 100; }));
    std::printf("removed in %.2f s\n", removal);
    EXPECT_EQ(rig_.Drops("no_route"), 0U);
  });
}

}  // namespace
}  // namespace culvert::dataplane
