// Calls with filters on the whole packet path.
#include <gtest/gtest.h>

#include <thread>

#include "dataplane/filter/filter_spec.h"
#include "dataplane/rig/call_rig.h"
#include "proto/wire/byte_order.h"
#include "tests/golden/pcap.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");
constexpr uint16_t kUp = 53;    // permitted to the server
constexpr uint16_t kDown = 99;  // permitted to the client

Bytes Udp(uint32_t source, uint32_t destination, uint16_t port, size_t len = 32) {
  Bytes payload(8 + len);
  wire::StoreBe16(payload.data(), 5000);
  wire::StoreBe16(&payload[2], port);
  wire::StoreBe16(&payload[4], static_cast<uint16_t>(payload.size()));
  return MakeIpv4({source, destination}, payload);
}

FilterRuleSpec Permit(bool upstream, uint16_t port) {
  return {.permit = true,
          .upstream = upstream,
          .protocol = 17,
          .destination_ports = PortRange{port, port}};
}

class FilteredCallsTest : public ::testing::Test {
 protected:
  FilteredCallsTest() {
    filter_.rules = {Permit(true, kUp), Permit(false, kDown)};
    EXPECT_TRUE(rig_.datapath().SetFilter(filter_).ok());
    spec_.filter = 7;
    handle_ = rig_.Program(spec_);
  }
  // ToServer gives how many packets came out; ToClient as well.
  size_t ToServer(uint16_t port, int num = 1) {
    for (int i = 0; i < num; ++i) {
      rig_.Upstream(kIpv4Frame + Udp(kClient, kServer, port));
    }
    rig_.Run();
    return rig_.Sent(1).size();
  }
  size_t ToClient(uint16_t port, size_t len = 32) {
    rig_.ReceiveIpv4(1, Udp(kServer, kClient, port, len));
    return DataToClient();
  }
  size_t DataToClient() {
    rig_.Run();
    size_t num = 0;
    for (const Bytes& frame : rig_.Sent(0)) {
      num += ParseTunnel(frame).gre.has_sequence ? 1 : 0;
    }
    return num;
  }

  CallRig rig_;
  FilterSpec filter_{.id = 7};
  CallSpec spec_ = CallRig::Spec();
  uint64_t handle_ = 0;
};

TEST_F(FilteredCallsTest, EachDirectionFollowsItsRules) {
  EXPECT_EQ(ToServer(kUp), 1u);
  EXPECT_EQ(ToServer(kDown), 0u);
  EXPECT_EQ(rig_.Drops("filtered_upstream"), 1u);
  EXPECT_EQ(ToClient(kDown), 1u);
  EXPECT_EQ(ToClient(kUp), 0u);
  EXPECT_EQ(rig_.Drops("filtered_downstream"), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 2u);
  const CallTotals totals = rig_.datapath().CallCounters()[0].second;
  EXPECT_EQ(totals.upstream_packets, 1u);
  EXPECT_EQ(totals.upstream_drops, 1u);
  EXPECT_EQ(totals.downstream_packets, 1u);
  EXPECT_EQ(totals.downstream_drops, 1u);
}

TEST_F(FilteredCallsTest, BurstsOfManyCallsKeepTheirFiltersApart) {
  CallSpec open = CallRig::Spec2();
  rig_.Program(open);
  CallSpec denied = CallRig::Spec();
  FilterSpec none{.id = 8};
  ASSERT_TRUE(rig_.datapath().SetFilter(none).ok());
  denied.call_id = 77;
  denied.client_address = Ip(10, 77, 0, 12);
  denied.filter = 8;
  rig_.Program(denied);
  for (int i = 0; i < 20; ++i) {
    for (const uint32_t client : {kClient, kClient2, denied.client_address}) {
      rig_.ReceiveIpv4(1, Udp(kServer, client, i % 2 == 0 ? kDown : kUp));
    }
  }
  EXPECT_EQ(DataToClient(), 20u + 10u);
  EXPECT_EQ(rig_.Drops("filtered_downstream"), 20u + 10u);
}

TEST_F(FilteredCallsTest, ChangesHoldAtOnce) {
  EXPECT_EQ(ToServer(80), 0u);
  filter_.rules.push_back(Permit(true, 80));
  ASSERT_TRUE(rig_.datapath().SetFilter(filter_).ok());
  EXPECT_EQ(ToServer(80), 1u);
  spec_.handle = handle_;
  spec_.filter = 0;
  rig_.Program(spec_);
  EXPECT_EQ(ToServer(81), 1u);
  EXPECT_EQ(ToClient(81), 1u);
  spec_.filter = 7;
  rig_.Program(spec_);
  EXPECT_EQ(ToServer(81), 0u);
  EXPECT_EQ(rig_.datapath().List()[0].spec.filter, 7);
}

TEST_F(FilteredCallsTest, RemovedOnlyWithoutCalls) {
  EXPECT_EQ(rig_.datapath().RemoveFilter(7).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ToServer(kUp), 1u);
  rig_.Program(spec_);  // the same again is still one call
  CallSpec wrong = spec_;
  wrong.handle = handle_;
  wrong.filter = 9;
  const auto changed = rig_.datapath().Upsert(wrong);
  EXPECT_EQ(changed.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(changed.status().message(), "filter: 9: there is no such filter");
  EXPECT_EQ(ToServer(kUp), 1u);
  wrong.filter = 7;
  wrong.peer_call_id = 1;  // refused after the filter was found
  EXPECT_FALSE(rig_.datapath().Upsert(wrong).ok());
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  EXPECT_TRUE(rig_.datapath().RemoveFilter(7).ok());
  EXPECT_TRUE(rig_.datapath().RemoveFilter(7).ok());
  EXPECT_TRUE(rig_.datapath().RemoveFilter(2000).ok());
  spec_.handle = 0;
  EXPECT_EQ(rig_.datapath().Upsert(spec_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FilteredCallsTest, AWrongFilterChangesNothing) {
  FilterSpec wrong = filter_;
  wrong.rules[0].tcp_flags_mask = 1;
  const absl::Status status = rig_.datapath().SetFilter(wrong);
  EXPECT_EQ(status.message(), "rules[0].tcp_flags_mask: protocol must be 6 (TCP)");
  EXPECT_EQ(ToServer(kUp), 1u);
}

// What is cut for the client was judged as a whole.
TEST_F(FilteredCallsTest, FragmentsOfOursAreNotJudgedAgain) {
  EXPECT_EQ(ToClient(kDown, 1450), 2u);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
  EXPECT_EQ(ToClient(kUp, 1450), 0u);
  EXPECT_EQ(rig_.Drops("filtered_downstream"), 1u);
}

TEST_F(FilteredCallsTest, FragmentsButTheFirstMatchNoRuleWithPorts) {
  const auto fragment = [](uint16_t offset) {
    Bytes payload(64);
    wire::StoreBe16(&payload[2], kUp);
    return MakeIpv4({.source = kClient, .destination = kServer, .fragment = offset}, payload);
  };
  rig_.Upstream(kIpv4Frame + fragment(0x2000));
  rig_.Upstream(kIpv4Frame + fragment(8));
  rig_.Run();
  EXPECT_EQ(rig_.Sent(1).size(), 1u);
  EXPECT_EQ(rig_.Drops("filtered_upstream"), 1u);
}

TEST_F(FilteredCallsTest, FilteredPacketsTakeNothingFromTheRate) {
  spec_.handle = handle_;
  spec_.upstream_policer = {.committed_bps = 8000, .committed_burst = 1500, .excess_burst = 1500};
  rig_.Program(spec_);
  EXPECT_EQ(ToServer(kDown, 100), 0u);
  EXPECT_EQ(rig_.Drops("filtered_upstream"), 100u);
  EXPECT_EQ(ToServer(kUp), 1u);
}

// Ipv6Call: the same for IPv6.
TEST_F(FilteredCallsTest, Ipv6) {
  spec_.handle = handle_;
  spec_.ipv6 = {
      .enabled = true, .interface_id = 2, .prefix = {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1}, 64, true}};
  rig_.Program(spec_);
  const auto packet = [](bool upstream, uint16_t port) {
    Bytes client = Hex("20010db8000000010000000000000002");
    Bytes server = Hex("20010db8ffff00000000000000000001");
    Bytes udp = Hex("1388 0000 0010 0000 0000000000000000");
    wire::StoreBe16(&udp[2], port);
    return Hex("60000000 0010 11 40") + (upstream ? client + server : server + client) + udp;
  };
  rig_.Upstream(Hex("ff03 0057") + packet(true, kDown));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("filtered_upstream"), 1u);
  rig_.Upstream(Hex("ff03 0057") + packet(true, kUp));
  rig_.Run();
  EXPECT_EQ(rig_.Drops("no_route"), 1u);  // it has come through
  const auto receive = [&](uint16_t port) {
    rig_.Receive(1,
                 MakeEthernet(rig_.ports()[1].mac, Rig::PeerMac(1), 0x86dd, packet(false, port)));
  };
  ASSERT_TRUE(
      rig_.datapath()
          .SetIpv6Route(absl::MakeUint128(0x20010db800000000, 0), 48, {.kind = RouteKind::kClients})
          .ok());
  receive(kUp);
  receive(kDown);
  EXPECT_EQ(DataToClient(), 1u);
  EXPECT_EQ(rig_.Drops("filtered_downstream"), 1u);
}

// The pings of a real client, each way, as they were on its link.
TEST_F(FilteredCallsTest, CapturedPingsOfEachDirection) {
  const auto session = testing::LoadSession("mschap2-none");
  ASSERT_TRUE(session) << session.error();
  const auto send = [&](bool upstream) {
    std::vector<Bytes> sent;
    for (const testing::CapturedPacket& packet : session->inner) {
      const auto header = wire::ip::ParseIpv4(packet.data);
      if (header && (header->source == kClient) == upstream && header->total_len < 1400) {
        sent.emplace_back(packet.data.begin(), packet.data.begin() + header->total_len);
        upstream ? rig_.Upstream(kIpv4Frame + sent.back()) : rig_.ReceiveIpv4(1, sent.back());
      }
    }
    return sent;
  };
  const auto deny = [&](uint8_t upstream_type, uint8_t downstream_type) {
    FilterSpec spec{.id = 7, .permit_upstream = true, .permit_downstream = true};
    for (const bool upstream : {false, true}) {
      const uint8_t type = upstream ? upstream_type : downstream_type;
      spec.rules.push_back(
          {.upstream = upstream, .protocol = 1, .destination_ports = PortRange{type, type}});
    }
    ASSERT_TRUE(rig_.datapath().SetFilter(spec).ok());
  };
  constexpr uint8_t kEcho = 8;
  constexpr uint8_t kEchoReply = 0;
  deny(kEchoReply, kEcho);  // the client asks, and is answered
  const std::vector<Bytes> requests = send(true);
  ASSERT_GT(requests.size(), 5u);
  rig_.Run();
  EXPECT_EQ(rig_.PuntedToClients(), requests);
  const std::vector<Bytes> replies = send(false);
  ASSERT_GT(replies.size(), 5u);
  EXPECT_EQ(DataToClient(), replies.size());
  EXPECT_EQ(rig_.TotalDrops(), 0u);
  deny(kEcho, kEchoReply);
  send(true);
  send(false);
  EXPECT_EQ(DataToClient(), 0u);
  EXPECT_TRUE(rig_.PuntedToClients().empty());
  EXPECT_EQ(rig_.Drops("filtered_upstream"), requests.size());
  EXPECT_EQ(rig_.Drops("filtered_downstream"), replies.size());
}

TEST_F(FilteredCallsTest, AcknowledgementsKeepTheCallsDelay) {
  using Clock = std::chrono::steady_clock;
  for (const uint16_t delay_ms : {uint16_t{10}, uint16_t{200}}) {
    spec_.handle = handle_;
    spec_.ack_delay_ms = delay_ms;
    rig_.Program(spec_);
    EXPECT_EQ(ToServer(kUp), 1u);
    rig_.Sent(0);
    const auto start = Clock::now();
    std::vector<Bytes> sent;
    while (sent.empty() && Clock::now() - start < std::chrono::seconds(5)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      rig_.Run();
      sent = rig_.Sent(0);
    }
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(ParseTunnel(sent[0]).gre.has_ack);
    const auto waited = Clock::now() - start;
    EXPECT_GE(waited, std::chrono::milliseconds(delay_ms - 5));
    EXPECT_LT(waited, std::chrono::milliseconds(delay_ms + 90));
  }
}

}  // namespace
}  // namespace culvert::dataplane
