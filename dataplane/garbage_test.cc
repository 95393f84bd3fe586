// Packets of any content: sound ones of every kind that have been changed at random go through
// calls that have every feature. Nothing may crash (the sanitizers see it) or keep a buffer (the
// rig counts them), and the calls' own packets still pass.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataplane/filter/filter_spec.h"
#include "dataplane/forwarding/fib6.h"
#include "dataplane/rig/call_rig.h"
#include "dataplane/rig/mppe_peer.h"
#include "proto/wire/ip/icmp.h"
#include "proto/wire/ip/ip6.h"

namespace culvert::dataplane {
namespace {

constexpr Ipv6Number kClients6 = absl::MakeUint128(0x2001'0db8'0001'0000, 0);  // /48
constexpr Ipv6Number kPrefix6 = absl::MakeUint128(0x2001'0db8'0001'0007, 0);
constexpr Ipv6Number kServer6 = absl::MakeUint128(0x2001'0db8'ffff'0000, 0x80);
constexpr uint64_t kInterfaceId = 7;

enum class Mode : uint8_t { kClear, kStateless, kStateful };

Bytes MakeIpv6(Ipv6Number source, Ipv6Number destination, uint8_t next, const Bytes& payload) {
  wire::ip6::Header header;
  header.next_header = next;
  header.hop_limit = 64;
  header.payload_len = static_cast<uint16_t>(payload.size());
  header.source = ToOctets(source);
  header.destination = ToOctets(destination);
  Bytes packet(wire::ip6::kHeaderLen);
  wire::ip6::Emit(header, packet.data());
  return std::move(packet) + payload;
}

// FixIpv4 puts right what the first checks look at, so that some garbage gets further.
void FixIpv4(Bytes* frame, size_t at, bool fix_length) {
  if (frame->size() < at + wire::ip::kIpv4HeaderLen) {
    return;
  }
  uint8_t* header = frame->data() + at;
  const size_t header_len = std::min<size_t>((header[0] & 15U) * 4, frame->size() - at);
  if (fix_length) {
    wire::StoreBe16(header + 2, static_cast<uint16_t>(frame->size() - at));
  }
  wire::StoreBe16(header + 10, 0);
  wire::StoreBe16(header + 10, wire::ip::Checksum({header, header_len}));
}

class GarbageTest : public ::testing::TestWithParam<Mode> {
 protected:
  GarbageTest() {
    Datapath& path = rig_.datapath();
    EXPECT_TRUE(path.SetIpv6Route(kClients6, 48, {RouteKind::kClients, 0, 0}).ok());
    EXPECT_TRUE(path.SetIpv6Route(0, 0, {RouteKind::kAdjacency, 1, kServer6 + 1}).ok());
    path.SetIpv6Neighbour(1, kServer6 + 1, Rig::PeerMac(1));
    path.own_addresses().SetIpv6(1, ToOctets(kServer6 + 2));
    path.own_addresses().SetIpv6(OwnAddresses::kClients, ToOctets(kServer6 + 3));
    FilterSpec filter{.id = 1, .permit_upstream = true, .permit_downstream = true};
    filter.rules = {{.upstream = true, .protocol = 17, .destination_ports = PortRange{53, 54}},
                    {.protocol = 6, .tcp_flags_mask = 0x12, .tcp_flags = 2},
                    {.upstream = true, .protocol = 58, .destination_ports = PortRange{130, 200}}};
    EXPECT_TRUE(path.SetFilter(filter).ok());
    spec_.filter = 1;
    spec_.ipv6 = {true, kInterfaceId, {ToOctets(kPrefix6), 64, true}};
    spec_.keepalive.enabled = true;
    spec_.keepalive.magic = 99;
    spec_.upstream_policer = {100'000'000, 0, 1'000'000, 0};
    spec_.octet_quota = 1000;
    spec_.peer_window = 64;
    spec_.outer.dont_fragment = true;
    spec_.outer.copy_dscp = true;
    if (GetParam() != Mode::kClear) {
      spec_.receive = MppeKeySpec{.bits = 128, .epoch = 1};
      spec_.receive->stateful = GetParam() == Mode::kStateful;
      spec_.send = spec_.receive;
    }
    Begin();
  }
  // Begin makes the call anew.
  void Begin() {
    const uint64_t handle = rig_.Program(spec_);
    if (peer_ != nullptr) {
      EXPECT_TRUE(rig_.datapath().Remove(handle).ok());
      rig_.Program(spec_);
    }
    peer_ = std::make_unique<MppePeer>(spec_.receive.value_or(MppeKeySpec{.bits = 128}));
  }
  // Frame is a PPP frame of data from the client.
  Bytes Frame(const Bytes& ipv4) {
    return GetParam() == Mode::kClear ? Hex("ff03 0021") + ipv4 : peer_->Send(ipv4);
  }
  // FromClient gives a frame as the clients' port gets it.
  Bytes FromClient(const Bytes& ppp, uint16_t fragment = 0) {
    wire::gre::Header header;
    header.call_id = kCallId;
    header.has_sequence = true;
    header.sequence = sequence_++;
    header.has_ack = sequence_ % 3 == 0;
    const Bytes packet = MakeIpv4(
        {kPeer, kLocal, 47, 64, static_cast<uint16_t>(sequence_), fragment}, MakeGre(header, ppp));
    return MakeEthernet(rig_.ports()[0].mac, Rig::PeerMac(0), 0x0800, packet);
  }
  Bytes FromInternet(uint16_t type, const Bytes& packet) {
    return MakeEthernet(rig_.ports()[1].mac, Rig::PeerMac(1), type, packet);
  }
  std::vector<Bytes> Sound();
  std::vector<Bytes> SoundIpv6();
  Bytes Change(Bytes frame);
  // Settle runs the worker a few rounds: keys that are made for frames far ahead may take long.
  void Settle() {
    for (int i = 0; i < 4; ++i) {
      rig_.datapath().RunWorkerOnce(0);
    }
  }
  // Empty throws away what has come out.
  void Empty() {
    for (const uint16_t port : {uint16_t{0}, uint16_t{1}}) {
      rig_.Sent(port);
      rig_.PuntedToPort(port);
    }
    rig_.PuntedToClients();
    rig_.PuntedFrames();
    std::vector<CallEvent> events;
    rig_.datapath().TakeEvents(&events, 1000);
  }
  unsigned Random(size_t bound) { return static_cast<unsigned>(random_() % bound); }

  CallRig rig_;
  CallSpec spec_ = CallRig::Spec();
  std::unique_ptr<MppePeer> peer_;
  uint32_t sequence_ = 0;
  std::mt19937 random_{20260};  // the same packets each time
};

std::vector<Bytes> GarbageTest::Sound() {
  const Bytes udp = Hex("1234 0035 0018 0000") + Bytes(16, 1);
  const Bytes request = MakeIpv4({kClient, kServer}, udp);
  Bytes source_route = MakeIpv4(
      {.source = kServer, .destination = kClient, .options = Hex("8307 04c0000201 00")}, udp);
  Bytes error(wire::icmp::ErrorPacketLen(28));
  wire::icmp::EmitErrorPacket(wire::icmp::FragmentationNeeded(1000), kPeer2, kLocal, 1,
                              MakeIpv4({kLocal, kPeer, 47}, Hex("3001880b 0000 0042")), error);
  return {
      FromClient(Frame(request)),
      FromClient(Frame(MakeIpv4({kClient, kServer, 6}, MakeTcpSyn(kClient, kServer, 1460)))),
      FromClient(Frame(MakeIpv4({kClient, kServer, 1}, Hex("0800 0000 0001 0001")))),
      FromClient(Hex("ff03 c021 0901 000c 00000000 01020304")),
      FromClient(Hex("ff03 c021 0a01 0008 00000000")),
      FromClient(Hex("ff03 80fd 0e01 0004")),
      FromClient(Hex("ff03 80fd 0f01 0004")),
      FromClient(Hex("00fd 9001") + Bytes(60, 3)),
      FromClient({}),
      FromClient(Frame(request), 0x2000),
      FromClient(Frame(request), 5),
      FromInternet(0x0800, MakeIpv4({kServer, kClient}, udp)),
      FromInternet(0x0800, MakeIpv4({kServer, kClient, 17, 64, 7, 0x2001}, udp)),
      FromInternet(0x0800, MakeIpv4({kServer, kClient, 17, 1}, udp)),
      FromInternet(0x0800, MakeIpv4({kServer, kClient}, Bytes(1472))),
      FromInternet(0x0800, MakeIpv4({kServer, kClient, 6}, MakeTcpSyn(kServer, kClient, 1460))),
      FromInternet(0x0800, source_route),
      FromInternet(0x0800, MakeIpv4({kServer, kServer + 1}, udp)),
      FromInternet(0x0806, Bytes(46)),
      FromInternet(0x8100, Hex("0005 0800") + Bytes(46)),
      MakeEthernet(rig_.ports()[0].mac, Rig::PeerMac(0), 0x0800, error),
  };
}

std::vector<Bytes> GarbageTest::SoundIpv6() {
  const Ipv6Number link = absl::MakeUint128(0xfe80ULL << 48, kInterfaceId);
  const Ipv6Number routers = absl::MakeUint128(0xff02ULL << 48, 2);
  const Bytes options = Hex("1100 0104 00000000 1234 0035 0010 0000") + Bytes(8);
  const Bytes fragment = Hex("1100 0001 00000007 1234 0035 0010 0000") + Bytes(8);
  const Bytes routing = Hex("1100 0000 00000000 1234 0035 0010 0000") + Bytes(8);
  const auto frame = [](const Bytes& packet) { return Hex("ff03 0057") + packet; };
  return {
      FromClient(frame(MakeIpv6(kPrefix6 + 5, kServer6, 17, Bytes(40, 2)))),
      FromClient(frame(MakeIpv6(kPrefix6 + 5, kServer6, 60, options))),
      FromClient(frame(MakeIpv6(kPrefix6 + 5, kServer6, 44, fragment))),
      FromClient(frame(MakeIpv6(kPrefix6 + 5, kServer6, 43, routing))),
      FromClient(frame(MakeIpv6(link, routers, 58, Hex("8500 0000 00000000")))),
      FromInternet(0x86dd, MakeIpv6(kServer6, kPrefix6 + 5, 0, options)),
      FromInternet(0x86dd, MakeIpv6(kServer6, kPrefix6 + 5, 44, fragment)),
      FromInternet(0x86dd, MakeIpv6(kServer6, kPrefix6 + 5, 6, MakeTcpSyn(1, 2, 1440))),
      FromInternet(0x86dd, MakeIpv6(kServer6, kPrefix6 + 5, 17, Bytes(1460))),
  };
}

// Change spoils a frame at a few places, or in its length, and mostly mends the outer header again.
Bytes GarbageTest::Change(Bytes frame) {
  for (unsigned num = Random(4); num > 0 && !frame.empty(); --num) {
    // The headers more than the rest.
    const size_t at = Random(4) == 0 ? Random(frame.size())
                                     : 14 + Random(std::max<size_t>(frame.size(), 15) - 14) / 2;
    frame[std::min(at, frame.size() - 1)] =
        Random(2) == 0 ? static_cast<uint8_t>(1U << Random(8)) : static_cast<uint8_t>(random_());
  }
  const unsigned length = Random(8);
  if (length == 0) {
    frame.resize(Random(frame.size() + 1));
  } else if (length == 1) {
    frame.resize(std::min<size_t>(frame.size() + Random(64), 1514));
  }
  if (frame.size() >= 14 && wire::LoadBe16(&frame[12]) == 0x0800 && Random(4) != 0) {
    FixIpv4(&frame, 14, Random(4) != 0);
  }
  return frame;
}

TEST_P(GarbageTest, EndsWithoutHarm) {
  constexpr unsigned kNumRounds = 600;
  for (unsigned round = 0; round < kNumRounds; ++round) {
    std::vector<Bytes> frames = Sound();
    std::ranges::move(SoundIpv6(), std::back_inserter(frames));
    std::ranges::shuffle(frames, random_);
    for (const Bytes& frame : frames) {
      if (!frame.empty()) {
        rig_.Receive(Random(8) == 0 ? 1 : frame[5], Change(frame));
      }
      if (Random(16) == 0) {
        rig_.datapath().RunWorkerOnce(0);
      }
    }
    Settle();
    Empty();
  }
  EXPECT_GT(rig_.TotalDrops(), kNumRounds);
  Begin();
  sequence_ = 0;
  for (int i = 0; i < 3; ++i) {
    rig_.Receive(0, FromClient(Frame(CallRig::PacketToServer())));
    rig_.ReceiveIpv4(1, CallRig::PacketToClient());
  }
  Settle();
  EXPECT_EQ(rig_.Sent(1).size(), 3u);
  EXPECT_GE(rig_.Sent(0).size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(Modes, GarbageTest,
                         ::testing::Values(Mode::kClear, Mode::kStateless, Mode::kStateful));

}  // namespace
}  // namespace culvert::dataplane
