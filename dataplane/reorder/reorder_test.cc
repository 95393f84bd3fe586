// GRE sequence numbers out of order: the reorder window, jumps that are real or forged, restarts.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "dataplane/reorder/reorder_pool.h"
#include "dataplane/rig/call_rig.h"

namespace culvert::dataplane {
namespace {

const Bytes kIpv4Frame = Hex("ff03 0021");
constexpr uint8_t kDelayMs = 100;  // long enough for a test on a busy machine
using Numbers = std::vector<uint32_t>;

// A data frame that can be told by its IPv4 identification.
Bytes Frame(uint32_t id) {
  Ipv4Spec spec{kClient, kServer};
  spec.id = static_cast<uint16_t>(id);
  return kIpv4Frame + MakeIpv4(spec, Bytes(32, 0x5a));
}

class ReorderTest : public ::testing::Test {
 protected:
  ReorderTest() : spec_(CallRig::Spec()) {
    spec_.reorder.delay_ms = kDelayMs;
    handle_ = rig_.Program(spec_);
  }

  void Send(const Numbers& numbers) {
    for (const uint32_t sequence : numbers) {
      rig_.UpstreamAt(sequence, Frame(sequence));
    }
  }
  // Got gives the low 16 bits of the numbers that were let through, in their order.
  Numbers Got() {
    rig_.Run();
    Numbers numbers;
    for (const Bytes& frame : rig_.Sent(1)) {
      numbers.push_back(wire::LoadBe16(&frame[14 + 4]));
    }
    return numbers;
  }
  static void Wait() { std::this_thread::sleep_for(std::chrono::milliseconds(kDelayMs + 10)); }
  static Numbers Range(uint32_t from, uint32_t to) {
    Numbers numbers;
    for (; from <= to; ++from) {
      numbers.push_back(from);
    }
    return numbers;
  }

  CallRig rig_;
  CallSpec spec_;
  uint64_t handle_;
};

TEST_F(ReorderTest, GapThatFillsGoesOnInOrderAtOnce) {
  Send({0, 2, 4, 3, 1, 5});
  EXPECT_EQ(Got(), Range(0, 5));
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(ReorderTest, GapThatStaysIsGivenUpInTime) {
  Send({0, 3, 2});
  EXPECT_EQ(Got(), Numbers{0});
  Wait();
  EXPECT_EQ(Got(), (Numbers{2, 3}));
  Send({1, 4});
  EXPECT_EQ(Got(), Numbers{4});
  EXPECT_EQ(rig_.Drops("sequence_late"), 1u);
  EXPECT_EQ(rig_.TotalDrops(), 1u);
}

TEST_F(ReorderTest, FullWindowGivesTheGapUp) {
  spec_.reorder.packets = 4;
  rig_.Program(spec_);
  Send({0, 2, 3, 4, 5});
  EXPECT_EQ(Got(), Numbers{0});
  Send({6});
  EXPECT_EQ(Got(), Range(2, 6));
}

TEST_F(ReorderTest, EverySecondPacketLost) {
  Numbers numbers;
  for (uint32_t i = 0; i < 400; i += 2) {
    numbers.push_back(i);
  }
  Send(numbers);
  Numbers got = Got();
  Wait();
  const Numbers rest = Got();
  got.insert(got.end(), rest.begin(), rest.end());
  EXPECT_EQ(got, numbers);
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(ReorderTest, WindowOff) {
  spec_.reorder.packets = 0;
  rig_.Program(spec_);
  Send({0xfffffffe, 0xffffffff, 0xffffffff, 2, 1, 0, 3});
  EXPECT_EQ(Got(), (Numbers{0xfffe, 0xffff, 2, 3}));
  EXPECT_EQ(rig_.Drops("sequence_duplicate"), 1u);
  EXPECT_EQ(rig_.Drops("sequence_late"), 2u);
}

TEST_F(ReorderTest, WrapWithTheLastNumberLostOrLate) {
  Send({0xfffffffd, 0xfffffffe, 0, 1});
  EXPECT_EQ(Got(), (Numbers{0xfffd, 0xfffe}));
  Wait();
  EXPECT_EQ(Got(), (Numbers{0, 1}));
  uint64_t second = 0;
  CallSpec spec = spec_;
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  second = rig_.Program(spec);
  EXPECT_NE(second, handle_);
  Send({0xfffffffe, 1, 0, 0xffffffff});
  EXPECT_EQ(Got(), (Numbers{0xfffe, 0xffff, 0, 1}));
  EXPECT_EQ(rig_.TotalDrops(), 0u);
}

TEST_F(ReorderTest, DuplicatesAreDropped) {
  Send({0, 0, 2, 2, 1, 2});
  EXPECT_EQ(Got(), Range(0, 2));
  EXPECT_EQ(rig_.Drops("sequence_duplicate"), 3u);
  EXPECT_EQ(rig_.TotalDrops(), 3u);
}

TEST_F(ReorderTest, LossBeyondTheWindowIsConfirmedByEightPackets) {
  Send({0});
  Send(Range(100, 106));
  EXPECT_EQ(Got(), Numbers{0});
  Send({107, 108});
  EXPECT_EQ(Got(), Range(100, 108));
}

TEST_F(ReorderTest, LossBeyondTheWindowThenSilence) {
  Send({0, 900});
  EXPECT_EQ(Got(), Numbers{0});
  Wait();
  EXPECT_EQ(Got(), Numbers{900});
}

TEST_F(ReorderTest, ForgedNumbersWithinTheJumpBound) {
  Numbers expected{0};
  Send({0});
  for (uint32_t burst = 0; burst < 10; ++burst) {
    Send({burst * 16 + 1000});  // forged
    const Numbers genuine = Range(burst * 16 + 1, burst * 16 + 16);
    Send(genuine);
    expected.insert(expected.end(), genuine.begin(), genuine.end());
  }
  EXPECT_EQ(Got(), expected);
  Wait();
  EXPECT_EQ(Got(), Numbers{});
  EXPECT_EQ(rig_.Drops("sequence_jump"), 10u);
  EXPECT_EQ(rig_.TotalDrops(), 10u);
  Send({161});
  EXPECT_EQ(Got(), Numbers{161});
}

TEST_F(ReorderTest, ForgedNumbersThatFillTheWindowMakeRoom) {
  Numbers forged;
  for (uint32_t i = 0; i < 13; ++i) {
    forged.push_back(100 + i * 70);  // too far apart for a run
  }
  spec_.reorder.packets = 8;
  rig_.Program(spec_);
  Send({0});
  Send(forged);
  EXPECT_EQ(rig_.Drops("sequence_jump"), 0u);
  Send({3, 2, 1, 4});
  EXPECT_EQ(Got(), Range(0, 4));
  EXPECT_EQ(rig_.Drops("sequence_jump"), 7u);
  Wait();
  EXPECT_EQ(Got(), Numbers{});
  EXPECT_EQ(rig_.Drops("sequence_jump"), 13u);
}

TEST_F(ReorderTest, ForgedJumpInSilenceIsTakenBack) {
  Send({0, 500});
  Got();
  Wait();
  EXPECT_EQ(Got(), Numbers{500});
  Send(Range(1, 20));
  EXPECT_EQ(Got(), Range(8, 20));
  EXPECT_EQ(rig_.Drops("sequence_late"), 7u);
  EXPECT_EQ(rig_.TotalDrops(), 7u);
}

TEST_F(ReorderTest, SequenceRestartIsNotFollowed) {
  Send({1000000});
  Send(Range(0, 49));
  EXPECT_EQ(Got(), Numbers{1000000 & 0xffff});
  EXPECT_EQ(rig_.Drops("sequence_late"), 31u);
  EXPECT_EQ(rig_.Drops("sequence_restart"), 19u);
  std::vector<CallEvent> events;
  rig_.datapath().TakeEvents(&events, 100);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, CallEvent::Kind::kSequenceRestart);
  EXPECT_EQ(events[0].handle, handle_);
  Send({1000001});
  EXPECT_EQ(Got(), Numbers{1000001 & 0xffff});
}

// With a keepalive the peer is asked; its answer has a number that goes on from before.
class RestartTest : public ReorderTest {
 protected:
  RestartTest() {
    spec_.keepalive = {true, 30, 4, 0x11223344, 0x55667788};
    rig_.Program(spec_);
    Send({1000000});
    Send(Range(0, 49));
    Got();
    EXPECT_EQ(rig_.Drops("sequence_restart"), 19u);
    rig_.Sent(0);
  }
  std::vector<CallEvent> Events() {
    std::vector<CallEvent> events;
    rig_.datapath().TakeEvents(&events, 100);
    return events;
  }
  // Asked runs the worker for that long and answers each Echo-Request with the numbers from
  // `sequence` on. It gives the number of requests.
  unsigned Asked(std::chrono::milliseconds time, uint32_t sequence) {
    unsigned asked = 0;
    for (const auto end = Clock::now() + time; Clock::now() < end;) {
      rig_.Run();
      for (const Bytes& frame : rig_.Sent(0)) {
        if (ParseTunnel(frame).gre.has_sequence) {
          rig_.UpstreamAt(sequence + asked, Hex("ff03 c021 0a01 0008 55667788"));
          ++asked;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return asked;
  }
  using Clock = std::chrono::steady_clock;
};

TEST_F(RestartTest, PeerThatAnswersIsStillThere) {
  EXPECT_EQ(Asked(std::chrono::milliseconds(4500), 1000001), 1u);
  EXPECT_TRUE(Events().empty());
}

TEST_F(RestartTest, AnswersWithTheNewNumbersDoNotCount) {
  EXPECT_EQ(Asked(std::chrono::milliseconds(5500), 50), 3u);
  const std::vector<CallEvent> events = Events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, CallEvent::Kind::kSequenceRestart);
}

TEST_F(ReorderTest, RestartOfAnEncryptedCallIsNotBelievedWithoutAsking) {
  spec_.receive = MppeKeySpec{.bits = 128, .epoch = 1};
  rig_.Program(spec_);
  Send({1000000});
  Send(Range(0, 49));
  Got();
  EXPECT_EQ(rig_.Drops("sequence_restart"), 19u);
  std::vector<CallEvent> events;
  rig_.datapath().TakeEvents(&events, 100);
  EXPECT_TRUE(events.empty());
}

TEST_F(ReorderTest, LateLcpEchoIsLetThrough) {
  const Bytes request = Hex("c021 0901 0008 00000001");
  const Bytes other = Hex("c021 0101 0008 0506 0000 0001");
  Send({10});
  rig_.UpstreamAt(9, Hex("ff03") + request);
  rig_.UpstreamAt(8, request);
  rig_.UpstreamAt(7, Hex("ff03") + other);
  rig_.UpstreamAt(10, request);
  Send({11});
  EXPECT_EQ(Got(), (Numbers{10, 11}));
  EXPECT_EQ(rig_.PuntedFrames().size(), 2u);
  EXPECT_EQ(rig_.Drops("sequence_late"), 1u);
  EXPECT_EQ(rig_.Drops("sequence_duplicate"), 1u);
}

TEST_F(ReorderTest, HeldPacketsEndWithTheirCall) {
  Send({0, 2, 3});
  EXPECT_EQ(Got(), Numbers{0});
  ASSERT_TRUE(rig_.datapath().Remove(handle_).ok());
  EXPECT_EQ(rig_.Drops("call_stale"), 2u);
  handle_ = rig_.Program(spec_);
  Send({1, 5});
  Wait();
  EXPECT_EQ(Got().front(), 1u);
  Send({9});  // the rig finds no mbuf missing at the end
  EXPECT_EQ(rig_.TotalDrops(), 2u);
}

TEST_F(ReorderTest, HeldPacketsSeeTheCallAsItIsWhenTheyGoOn) {
  Send({0, 2});
  EXPECT_EQ(Got(), Numbers{0});
  spec_.require_encryption = true;
  rig_.Program(spec_);
  Wait();
  EXPECT_EQ(Got(), Numbers{});
  EXPECT_EQ(rig_.Drops("clear_data"), 1u);
}

TEST(ReorderBoundTest, WithoutRoomTheWindowIsOff) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  constexpr unsigned kNumCalls = 1100;  // more than there are buffers, or packets held
  for (uint16_t id = 1; id <= kNumCalls; ++id) {
    spec.call_id = id;
    spec.client_address = 0;
    rig.Program(spec);
  }
  wire::gre::Header header;
  header.has_sequence = true;
  for (uint16_t id = 1; id <= kNumCalls; ++id) {
    header.call_id = id;
    for (const uint32_t sequence : {0U, 2U}) {
      header.sequence = sequence;
      rig.ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol}, MakeGre(header, {})));
    }
    rig.Run();
  }
  const uint64_t at_once = rig.datapath().WorkerCounters()[0].consumed;
  EXPECT_GT(at_once, kNumCalls);
  EXPECT_LT(at_once, 2 * kNumCalls);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  for (int i = 0; i < 100; ++i) {
    rig.Run();
  }
  EXPECT_EQ(rig.datapath().WorkerCounters()[0].consumed, 2 * kNumCalls);
}

// What calls have held falls due together: new packets do not wait for all of it.
TEST(ReorderBoundTest, ARoundReleasesItsShare) {
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  spec.client_address = 0;
  constexpr uint16_t kNumCalls = 12;
  constexpr uint32_t kHeld = 15;
  wire::gre::Header header;
  header.has_sequence = true;
  for (uint16_t id = 1; id <= kNumCalls; ++id) {
    spec.call_id = header.call_id = id;
    rig.Program(spec);
    for (uint32_t sequence = 0; sequence <= kHeld + 1; ++sequence) {
      header.sequence = sequence + (sequence != 0 ? 1 : 0);  // the second is lost
      rig.ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol}, MakeGre(header, {})));
    }
  }
  rig.Run();
  uint64_t seen = rig.datapath().WorkerCounters()[0].consumed;
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  uint64_t most = 0;
  while (seen < kNumCalls * (kHeld + 2)) {
    rig.datapath().RunWorkerOnce(0);
    const uint64_t now = rig.datapath().WorkerCounters()[0].consumed;
    most = std::max(most, now - seen);
    seen = now;
  }
  EXPECT_GT(most, kHeld);
  EXPECT_LT(most, 64 + 2 * kHeld);
}

// Forged packets on a call that encrypts: whatever their numbers, the client's own get through.
class ForgedTest : public ::testing::TestWithParam<unsigned> {
 protected:
  static MppeKeySpec Key() {
    MppeKeySpec key;
    key.bits = 128;
    key.start_key.fill(0x5c);
    return key;
  }
  // Encrypted gives `num` PPP frames of the client, made by another data path with its send key.
  static std::vector<Bytes> Encrypted(unsigned num) {
    CallRig sender;
    CallSpec spec = CallRig::Spec();
    spec.client_address = kServer;
    spec.send = Key();
    sender.Program(spec);
    std::vector<Bytes> frames;
    for (unsigned i = 0; i < num; ++i) {
      Ipv4Spec packet{kClient, kServer};
      packet.id = static_cast<uint16_t>(i);
      sender.ReceiveIpv4(1, MakeIpv4(packet, Bytes(32, 0x5a)));
      sender.Run();
      frames.push_back(ParseTunnel(sender.Sent(0).at(0)).ppp);
    }
    return frames;
  }
};

TEST_P(ForgedTest, EveryGenuinePacketGetsThrough) {
  constexpr unsigned kBurstLen = 16;
  constexpr unsigned kNum = 640;
  const auto genuine = Encrypted(kNum);
  CallRig rig;
  CallSpec spec = CallRig::Spec();
  spec.receive = Key();
  spec.reorder.delay_ms = kDelayMs;
  spec.reorder.packets = static_cast<uint8_t>(GetParam());
  rig.Program(spec);
  const uint32_t leads[] = {1, 2, 5, 16, 17, 18, 100, 500, 1023, 1024, 1025, 0x40000000};
  const Bytes forgeries[] = {Hex("ff03 00fd 9abc") + Bytes(40, 0x11), Hex("fd 9000") + Bytes(9),
                             Hex("ff03 00fd"), Hex("ff03 0021 4500"), Hex("c023 0101 0004")};
  size_t forged = 0;
  Numbers got;
  for (unsigned i = 0; i < kNum; ++i) {
    if (i % kBurstLen == 3) {
      rig.UpstreamAt(i - 1 + leads[forged % std::size(leads)],
                     forgeries[forged % std::size(forgeries)]);
      ++forged;
    }
    rig.UpstreamAt(i, genuine[i]);
    if (i % kBurstLen == kBurstLen - 1) {
      rig.Run();
      for (const Bytes& frame : rig.Sent(1)) {
        got.push_back(wire::LoadBe16(&frame[14 + 4]));
      }
    }
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(kDelayMs + 10));
  rig.Run();
  for (const Bytes& frame : rig.Sent(1)) {
    got.push_back(wire::LoadBe16(&frame[14 + 4]));
  }
  ASSERT_EQ(got.size(), kNum);
  for (unsigned i = 0; i < kNum; ++i) {
    EXPECT_EQ(got[i], i);
  }
}

INSTANTIATE_TEST_SUITE_P(Windows, ForgedTest, ::testing::Values(0u, 1u, 4u, 16u, 64u));

TEST(ReorderPoolTest, DueInTheOrderOfTime) {
  ReorderPool pool;
  const uint16_t a = pool.Take(1, 1);
  const uint16_t b = pool.Take(2, 1);
  const uint16_t c = pool.Take(3, 1);
  constexpr uint32_t kNow = 0xfffffff0;
  pool.SetDue(a, kNow + 30, kNow);
  pool.SetDue(b, kNow + 10, kNow);
  pool.SetDue(c, kNow + 30, kNow);
  pool.SetDue(c, kNow + 100, kNow);
  EXPECT_EQ(pool.TakeDue(kNow + 9), 0);
  EXPECT_EQ(pool.TakeDue(kNow + 10), b);
  EXPECT_EQ(pool.TakeDue(kNow + 10), 0);
  pool.SetDue(b, kNow + 5, kNow + 10);  // past already
  EXPECT_EQ(pool.TakeDue(kNow + 11), b);
  EXPECT_EQ(pool.TakeDue(kNow + 10000), a);
  EXPECT_EQ(pool.TakeDue(kNow + 10000), c);
  EXPECT_EQ(pool.TakeDue(kNow + 10000), 0);
  // After a pause nothing is due before its time.
  pool.SetDue(a, kNow + 20020, kNow + 20000);
  pool.SetDue(b, kNow + 20090, kNow + 20000);
  EXPECT_EQ(pool.TakeDue(kNow + 20019), 0);
  EXPECT_EQ(pool.TakeDue(kNow + 20020), a);
  for (const uint16_t id : {a, b, c}) {
    pool.GiveBack(id);
  }
  EXPECT_EQ(pool.TakeDue(kNow + 30000), 0);
}

TEST(ReorderPoolTest, Bounded) {
  ReorderPool pool;
  for (unsigned i = 0; i < ReorderPool::kNumBuffers; ++i) {
    EXPECT_NE(pool.Take(i, 1), 0);
  }
  EXPECT_EQ(pool.Take(0, 1), 0);
  pool.GiveBack(7);
  EXPECT_EQ(pool.Take(0, 1), 7);
}

}  // namespace
}  // namespace culvert::dataplane
