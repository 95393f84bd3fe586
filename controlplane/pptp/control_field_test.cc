// What goes wrong in the field with control connections, each by its name.
#include <gtest/gtest.h>

#include <string>

#include "controlplane/pptp/control_script.h"

namespace culvert::pptp {
namespace {

TEST(ControlField, SecondReplyWhileTheFirstIsBlocked) {
  Peer peer;
  peer.connection().OnOctets(wp::Emit(wp::StartRequest{}), peer.now_ms());
  peer.connection().OnWritten(100);  // of 156
  peer.connection().OnOctets(wp::Emit(wp::EchoRequest{.identifier = 1}), peer.now_ms());
  peer.connection().OnOctets(wp::Emit(wp::OutgoingCallRequest{.call_id = 7}), peer.now_ms());
  EXPECT_TRUE(peer.connection().AcceptCall(kOurs, peer.now_ms()));
  EXPECT_EQ(peer.connection().PendingOutput().size(), 56u);
  peer.connection().OnWritten(56);
  EXPECT_EQ(peer.Take(), "[requested 101 7], EchoRP 1, OCRP 101 7 1/0");
}

TEST(ControlField, CallIdByteOrderInDisconnectNotify) {
  Peer peer;
  peer.next_id_ = 0x1234;
  peer.Establish();
  peer.Dial(0x5678, 0x1234);
  peer.connection().DisconnectCall(0x1234, DisconnectResult::kLostCarrier, "", peer.now_ms());
  const wire::Octets octets = peer.connection().PendingOutput();
  ASSERT_EQ(octets.size(), 148u);
  EXPECT_EQ(octets[12], 0x12);
  EXPECT_EQ(octets[13], 0x34);
}

TEST(ControlField, StartTwice) {
  Peer peer;
  peer.Establish();
  peer.Dial();
  EXPECT_EQ(peer.Receive(wp::StartRequest{}), "SCCRP 3");
  EXPECT_EQ(peer.connection().num_calls(), 1u) << "the connection goes on";
}

TEST(ControlField, CallClearThenStop) {
  Peer peer;
  peer.Establish();
  peer.Dial();
  peer.connection().OnOctets(wp::Emit(wp::CallClearRequest{.call_id = kTheirs}), peer.now_ms());
  peer.connection().OnOctets(wp::Emit(wp::StopRequest{}), peer.now_ms());
  EXPECT_EQ(peer.Take(), "[clear 101], [lost 101], StopRP 1, [closed]");

  Peer slow;  // the call is cleared before the Stop comes
  slow.Establish();
  slow.Dial();
  EXPECT_EQ(slow.Receive(wp::CallClearRequest{.call_id = kTheirs}), "[clear 101]");
  slow.connection().DisconnectCall(kOurs, DisconnectResult::kRequest, "", slow.now_ms());
  EXPECT_EQ(slow.Take(), "CDN 101 4/0");
  EXPECT_EQ(slow.Receive(wp::StopRequest{}), "StopRP 1, [closed]");
}

TEST(ControlField, SilentPeerIsAskedAfterAMinuteAndClosedAfterTwo) {
  Peer peer{ControlSettings{}};
  peer.Establish();
  peer.Dial();
  EXPECT_EQ(peer.Wait(59'999), "");
  EXPECT_EQ(peer.Wait(1), "EchoRQ");
  EXPECT_EQ(peer.Wait(59'999), "");
  EXPECT_EQ(peer.Wait(1), "[lost 101], [closed]");
}

TEST(ControlField, LengthOneOffCloses) {
  for (int off : {-1, 1}) {
    std::vector<uint8_t> octets = wp::Emit(wp::StartRequest{});
    octets[1] = static_cast<uint8_t>(octets[1] + off);
    octets.resize(220);
    Peer peer;
    EXPECT_EQ(peer.ReceiveOctets(octets), "[closed]") << off;
    EXPECT_EQ(peer.counters().bad_lengths, 1u);
  }
}

TEST(ControlField, TwoCallsOnOneConnectionAndTheSameIdTwice) {
  Peer peer;
  peer.Establish();
  peer.Dial(0, 101);
  peer.Dial(1, 102);
  EXPECT_EQ(peer.Receive(wp::OutgoingCallRequest{.call_id = 1}), "OCRP 0 1 2/5");
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 0}), "[clear 101]");
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 102}), "[clear 102]") << "ours";
}

// A NAT that rewrites only some messages leaves neither of the two ids.
TEST(ControlField, ClearWithAnIdThatIsNobodys) {
  Peer one;
  one.Establish();
  one.Dial(7, 101);
  EXPECT_EQ(one.Receive(wp::CallClearRequest{.call_id = 0x7777}), "[clear 101]")
      << "no other call can be meant";
  Peer two;
  two.Establish();
  two.Dial(7, 101);
  two.Dial(8, 102);
  EXPECT_EQ(two.Receive(wp::CallClearRequest{.call_id = 0x7777}), "");
  EXPECT_EQ(two.counters().unknown_call_ids, 1u);
}

}  // namespace
}  // namespace culvert::pptp
