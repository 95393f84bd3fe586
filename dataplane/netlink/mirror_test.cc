// The mirror and the slow path against the real kernel, in a network namespace of the test's own.
#include "dataplane/netlink/mirror.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <cstring>

#include "dataplane/netlink/interface_setup.h"
#include "dataplane/netlink/own_namespace.h"
#include "dataplane/service/fake_datapath.h"
#include "dataplane/tap/slow_path.h"
#include "dataplane/tap/tun_device.h"

namespace culvert::dataplane {
namespace {

constexpr MacAddress kTapMac{2, 0, 0, 0, 0, 1};
constexpr MacAddress kHostMac{2, 0, 0, 0, 0, 9};
constexpr uint32_t kTapAddress = 0xc0000201;   // 192.0.2.1
constexpr uint32_t kHostAddress = 0xc0000209;  // 192.0.2.9
constexpr uint32_t kNetwork = 0xc0000200;
constexpr uint32_t kClientsNetwork = 0x0a4d0000;  // 10.77.0.0
constexpr uint32_t kFarNetwork = 0xcb007100;      // 203.0.113.0

using Frame = std::vector<uint8_t>;

void Append(Frame* frame, std::span<const uint8_t> octets) {
  frame->insert(frame->end(), octets.begin(), octets.end());
}
void Append32(Frame* frame, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) frame->push_back(uint8_t(value >> shift));
}

// RFC 826: operation 1 asks, 2 answers.
Frame Arp(uint8_t operation, const MacAddress& from_mac, uint32_t from, const MacAddress& to_mac,
          uint32_t to) {
  Frame frame;
  const MacAddress broadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  Append(&frame, operation == 1 ? broadcast : to_mac);
  Append(&frame, from_mac);
  const uint8_t header[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, operation};
  Append(&frame, header);
  Append(&frame, from_mac);
  Append32(&frame, from);
  Append(&frame, operation == 1 ? MacAddress{} : to_mac);
  Append32(&frame, to);
  return frame;
}

class MirrorTest : public testing::Test {
 protected:
  void MakeInterfaces() {
    auto tap = TunDevice::Create({.name = "access", .mac = kTapMac});
    ASSERT_TRUE(tap.ok()) << tap.status();
    tap_ = *std::move(tap);
    auto tun = TunDevice::Create({.name = "clients0", .mac = {}, .mtu = 1400});
    ASSERT_TRUE(tun.ok()) << tun.status();
    tun_ = *std::move(tun);
    ASSERT_TRUE(AddAddresses("access", tap_->index(), {"192.0.2.1/24"}).ok());
    ASSERT_TRUE(AddAddresses("clients0", tun_->index(), {"10.77.0.1/32"}).ok());
    ASSERT_TRUE(AddRoutes("clients0", tun_->index(), {"10.77.0.0/16"}).ok());
    own_.ports[tap_->index()] = 0;
    own_.clients = tun_->index();
  }
  bool Becomes(uint32_t prefix, uint8_t len, const std::string& text) {
    const bool become = Eventually([&] { return datapath_.Route(prefix, len) == text; });
    if (!become) ADD_FAILURE() << "is \"" << datapath_.Route(prefix, len) << "\"";
    return become;
  }
  // Reads frames of the TAP until `matches` likes one.
  bool TapSends(const std::function<bool(const Frame&)>& matches) {
    return Eventually([&] {
      Frame frame(2048);
      const ssize_t len = read(tap_->fd(), frame.data(), frame.size());
      if (len <= 0) return false;
      frame.resize(static_cast<size_t>(len));
      return matches(frame);
    });
  }

  FakeDatapath datapath_;
  std::unique_ptr<TunDevice> tap_, tun_;
  OwnInterfaces own_;
};

TEST_F(MirrorTest, CopiesWhatIsThereAtStart) {
  InNamespace([&] {
    MakeInterfaces();
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    EXPECT_EQ(datapath_.Route(kTapAddress, 32), "local");
    EXPECT_EQ(datapath_.Route(kNetwork, 24), "port 0 via 0");
    EXPECT_EQ(datapath_.Route(kNetwork | 255, 32), "local");
    EXPECT_EQ(datapath_.Route(kClientsNetwork, 16), "clients");
    EXPECT_EQ(datapath_.Route(kClientsNetwork | 1, 32), "local");
    EXPECT_EQ(datapath_.Route(0, 0), "");
  });
}

TEST_F(MirrorTest, FollowsRoutes) {
  InNamespace([&] {
    MakeInterfaces();
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    const std::string via_host = "port 0 via " + std::to_string(kHostAddress);
    ASSERT_TRUE(Ip("route add default via 192.0.2.9 metric 100"));
    Becomes(0, 0, via_host);
    ASSERT_TRUE(Ip("route add default via 192.0.2.8 metric 50"));
    Becomes(0, 0, "port 0 via " + std::to_string(kHostAddress - 1));
    ASSERT_TRUE(Ip("route del default via 192.0.2.8 metric 50"));
    Becomes(0, 0, via_host);
    ASSERT_TRUE(Ip("route replace default via 192.0.2.7 metric 100"));
    Becomes(0, 0, "port 0 via " + std::to_string(kHostAddress - 2));
    ASSERT_TRUE(Ip("route add blackhole 203.0.113.0/24"));
    Becomes(kFarNetwork, 24, "blackhole");
    ASSERT_TRUE(Ip("route replace 203.0.113.0/24 nexthop via 192.0.2.9 nexthop via 192.0.2.8"));
    Becomes(kFarNetwork, 24, via_host);
    ASSERT_TRUE(Ip("route del 203.0.113.0/24"));
    Becomes(kFarNetwork, 24, "");
  });
}

TEST_F(MirrorTest, SeesRoutesGoWithTheirInterfaceAndAddress) {
  InNamespace([&] {
    MakeInterfaces();
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    ASSERT_TRUE(Ip("route add default via 192.0.2.9"));
    Becomes(0, 0, "port 0 via " + std::to_string(kHostAddress));
    ASSERT_TRUE(Ip("link set access down"));
    Becomes(0, 0, "");
    Becomes(kNetwork, 24, "");
    ASSERT_TRUE(Ip("link set access up"));
    Becomes(kNetwork, 24, "port 0 via 0");
    ASSERT_TRUE(Ip("addr del 192.0.2.1/24 dev access"));
    Becomes(kNetwork, 24, "");
    Becomes(kTapAddress, 32, "");
  });
}

TEST_F(MirrorTest, FollowsIpv6) {
  InNamespace([&] {
    MakeInterfaces();
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    const auto number = [](uint64_t high, uint64_t low) { return absl::MakeUint128(high, low); };
    const Ipv6Number network = number(0x20010db800000000, 0);
    const Ipv6Number gateway = number(0xfe80000000000000, 9);
    const auto is = [&](Ipv6Number prefix, uint8_t len, RouteKind kind, Ipv6Number via) {
      return Eventually([&] {
        const FakeDatapath::Lock lock(datapath_.mutex);
        const auto found = datapath_.ipv6_routes.find({prefix, len});
        return found != datapath_.ipv6_routes.end() && found->second.kind == kind &&
               found->second.gateway == via;
      });
    };
    const auto is_gone = [&](Ipv6Number prefix, uint8_t len) {
      return Eventually([&] {
        const FakeDatapath::Lock lock(datapath_.mutex);
        return datapath_.ipv6_routes.count({prefix, len}) == 0;
      });
    };
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      EXPECT_TRUE(datapath_.ipv6_routes.empty());  // a machine without IPv6 addresses
    }
    // Solicitations need a link-local source that is not tentative any more.
    ASSERT_TRUE(Ip("addr add fe80::1/64 dev access nodad"));
    ASSERT_TRUE(Ip("addr add 2001:db8::1/64 dev access nodad"));
    EXPECT_TRUE(is(network, 64, RouteKind::kAdjacency, 0));
    EXPECT_TRUE(is(network + 1, 128, RouteKind::kLocal, 0));
    ASSERT_TRUE(Ip("-6 route add default via fe80::9 dev access"));
    EXPECT_TRUE(is(0, 0, RouteKind::kAdjacency, gateway));
    ASSERT_TRUE(Ip("-6 route add 2001:db8:1::/48 dev clients0"));
    EXPECT_TRUE(is(number(0x20010db800010000, 0), 48, RouteKind::kClients, 0));
    ASSERT_TRUE(Ip("neigh add fe80::9 lladdr 02:00:00:00:00:09 nud permanent dev access"));
    EXPECT_TRUE(Eventually([&] {
      const FakeDatapath::Lock lock(datapath_.mutex);
      const auto found = datapath_.ipv6_neighbours.find({0, gateway});
      return found != datapath_.ipv6_neighbours.end() && found->second == kHostMac;
    }));
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      datapath_.ipv6_unresolved = {{0, network + 9}};
    }
    // A neighbour solicitation (RFC 4861 s4.3) to its solicited-node address.
    EXPECT_TRUE(TapSends([](const Frame& frame) {
      return frame.size() >= 78 && frame[12] == 0x86 && frame[13] == 0xdd && frame[54] == 135 &&
             frame[77] == 9;
    }));
    ASSERT_TRUE(Ip("link set access down"));
    EXPECT_TRUE(is_gone(0, 0) && is_gone(network, 64) && is_gone(network + 1, 128));
    EXPECT_TRUE(Eventually([&] {
      const FakeDatapath::Lock lock(datapath_.mutex);
      return datapath_.ipv6_neighbours.empty();
    }));
  });
}

TEST_F(MirrorTest, AddressesAndRoutesOfTheConfigurationMayBeIpv6) {
  InNamespace([&] {
    MakeInterfaces();
    ASSERT_TRUE(AddAddresses("access", tap_->index(), {"2001:db8:c::1/64"}).ok());
    ASSERT_TRUE(AddAddresses("access", tap_->index(), {"2001:db8:c::1/64"}).ok());  // again
    ASSERT_TRUE(AddRoutes("clients0", tun_->index(), {"2001:db8:1000::/36"}).ok());
    EXPECT_NE(AddRoutes("clients0", tun_->index(), {"2001:db8:1000::/36"})
                  .message()
                  .find("2001:db8:1000::/36"),
              std::string::npos);
    EXPECT_FALSE(AddAddresses("access", tap_->index(), {"2001:db8::c"}).ok());
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    const auto kind = [&](uint64_t high, uint64_t low, uint8_t len) -> std::optional<RouteKind> {
      const FakeDatapath::Lock lock(datapath_.mutex);
      const auto found = datapath_.ipv6_routes.find({absl::MakeUint128(high, low), len});
      if (found == datapath_.ipv6_routes.end()) return std::nullopt;
      return found->second.kind;
    };
    // The kernel makes an IPv6 address's own route a little later, in a worker thread.
    EXPECT_TRUE(Eventually([&] { return kind(0x20010db8000c0000, 1, 128) == RouteKind::kLocal; }));
    EXPECT_EQ(kind(0x20010db8000c0000, 0, 64), RouteKind::kAdjacency);
    EXPECT_EQ(kind(0x20010db810000000, 0, 36), RouteKind::kClients);
  });
}

TEST_F(MirrorTest, TellsOurOwnAddresses) {
  InNamespace([&] {
    MakeInterfaces();
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    EXPECT_EQ(datapath_.own.Ipv4(0), kTapAddress);
    EXPECT_EQ(datapath_.own.Ipv4(OwnAddresses::kClients), kClientsNetwork | 1);
    EXPECT_EQ(datapath_.own.Ipv6(0), Ipv6Address{});
    ASSERT_TRUE(Ip("addr add 192.0.2.2/24 dev access"));  // secondary
    ASSERT_TRUE(Ip("addr add 2001:db8::1/64 dev access nodad"));
    const Ipv6Address address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    EXPECT_TRUE(Eventually([&] { return datapath_.own.Ipv6(0) == address; }));
    EXPECT_EQ(datapath_.own.Ipv4(0), kTapAddress);
    ASSERT_TRUE(Ip("addr flush dev access"));
    EXPECT_TRUE(Eventually(
        [&] { return datapath_.own.Ipv4(0) == 0 && datapath_.own.Ipv6(0) == Ipv6Address{}; }));
    EXPECT_EQ(datapath_.own.Ipv4(OwnAddresses::kClients), kClientsNetwork | 1);
  });
}

TEST_F(MirrorTest, ResolvesWhatPacketsWant) {
  InNamespace([&] {
    MakeInterfaces();
    Mirror mirror(&datapath_, own_);
    ASSERT_TRUE(mirror.Start().ok());
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      datapath_.unresolved = {{0, kHostAddress}, {7, 1}};
    }
    const Frame question = Arp(1, kTapMac, kTapAddress, {}, kHostAddress);
    ASSERT_TRUE(TapSends([&](const Frame& frame) { return frame == question; }));
    const Frame answer = Arp(2, kHostMac, kHostAddress, kTapMac, kTapAddress);
    ASSERT_EQ(write(tap_->fd(), answer.data(), answer.size()), ssize_t(answer.size()));
    const auto knows = [&](uint32_t address) {
      return [this, address] {
        const FakeDatapath::Lock lock(datapath_.mutex);
        const auto found = datapath_.neighbours.find({0, address});
        return found != datapath_.neighbours.end() && found->second == kHostMac;
      };
    };
    EXPECT_TRUE(Eventually(knows(kHostAddress)));
    ASSERT_TRUE(Ip("neigh del 192.0.2.9 dev access"));
    EXPECT_TRUE(Eventually([&] { return !knows(kHostAddress)(); }));
    ASSERT_TRUE(Ip("neigh add 192.0.2.10 lladdr 02:00:00:00:00:09 nud permanent dev access"));
    EXPECT_TRUE(Eventually(knows(kHostAddress + 1)));
  });
}

TEST_F(MirrorTest, ATakenNameIsRefused) {
  InNamespace([&] {
    ASSERT_TRUE(Ip("link add access type veth peer name other"));
    const auto tap = TunDevice::Create({.name = "access", .mac = kTapMac});
    ASSERT_FALSE(tap.ok());
    EXPECT_EQ(tap.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_NE(std::string(tap.status().message()).find("interface access"), std::string::npos);
  });
}

class SlowPathTest : public MirrorTest {
 protected:
  void SetUp() override {
    pool_ = rte_pktmbuf_pool_create("slow_path_test", 511, 0, kMbufPrivateLen,
                                    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    ASSERT_NE(pool_, nullptr);
  }
  void TearDown() override {
    for (auto& queue : datapath_.to_port) Free(&queue.second);
    Free(&datapath_.to_clients);
    EXPECT_EQ(rte_mempool_in_use_count(pool_), 0U) << "mbufs leaked";
    rte_mempool_free(pool_);
  }
  static void Free(std::deque<rte_mbuf*>* queue) {
    for (rte_mbuf* mbuf : *queue) rte_pktmbuf_free(mbuf);
    queue->clear();
  }
  rte_mbuf* Mbuf(const Frame& frame) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
    memcpy(rte_pktmbuf_append(mbuf, uint16_t(frame.size())), frame.data(), frame.size());
    return mbuf;
  }
  // Whether `queue` holds a packet that `matches` likes.
  bool Arrives(std::deque<rte_mbuf*>* queue, const std::function<bool(const Frame&)>& matches) {
    return Eventually([&] {
      const FakeDatapath::Lock lock(datapath_.mutex);
      for (const rte_mbuf* mbuf : *queue) {
        const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
        if (matches(Frame(data, data + mbuf->data_len))) return true;
      }
      return false;
    });
  }

  rte_mempool* pool_ = nullptr;
};

TEST_F(SlowPathTest, TheKernelAnswersArpAtTheTap) {
  InNamespace([&] {
    MakeInterfaces();
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      datapath_.from_port[0].push_back(Mbuf(Arp(1, kHostMac, kHostAddress, {}, kTapAddress)));
    }
    SlowPath slow_path(&datapath_, pool_, {tap_.get()}, tun_.get());
    slow_path.Start();
    const Frame answer = Arp(2, kTapMac, kTapAddress, kHostMac, kHostAddress);
    EXPECT_TRUE(Arrives(&datapath_.to_port[0], [&](const Frame& f) { return f == answer; }));
    slow_path.Stop();
    EXPECT_EQ(slow_path.Totals(0).to_kernel, 1U);
    EXPECT_GE(slow_path.Totals(0).from_kernel, 1U);
  });
}

TEST_F(SlowPathTest, TheKernelAnswersPingAtTheTun) {
  InNamespace([&] {
    MakeInterfaces();
    // 10.77.0.2 pings 10.77.0.1; checksums by hand (RFC 791, RFC 792).
    const Frame ping = {0x45, 0, 0,  28, 0, 1, 0, 0, 64,   1,    0x66, 0x44, 10, 77,
                        0,    2, 10, 77, 0, 1, 8, 0, 0xf7, 0xfd, 0,    1,    0,  1};
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      datapath_.from_clients.push_back(Mbuf(ping));
    }
    SlowPath slow_path(&datapath_, pool_, {tap_.get()}, tun_.get());
    slow_path.Start();
    EXPECT_TRUE(Arrives(&datapath_.to_clients, [](const Frame& frame) {
      return frame.size() == 28 && frame[0] == 0x45 && frame[9] == 1 && frame[20] == 0 &&
             frame[15] == 1 && frame[19] == 2;
    }));
    slow_path.Stop();
  });
}

TEST_F(SlowPathTest, WhatTheDatapathHasNoRoomForIsCountedAndFreed) {
  InNamespace([&] {
    MakeInterfaces();
    datapath_.full = true;
    {
      const FakeDatapath::Lock lock(datapath_.mutex);
      datapath_.from_port[0].push_back(Mbuf(Arp(1, kHostMac, kHostAddress, {}, kTapAddress)));
    }
    SlowPath slow_path(&datapath_, pool_, {tap_.get()}, tun_.get());
    slow_path.Start();
    EXPECT_TRUE(Eventually([&] { return slow_path.Totals(0).from_kernel_dropped > 0; }));
    slow_path.Stop();
  });
}

}  // namespace
}  // namespace culvert::dataplane
