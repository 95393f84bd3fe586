#include "controlplane/pptp/control_connection.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "controlplane/pptp/control_script.h"

namespace culvert::pptp {
namespace {

// The receiver's automaton (s3.1), cell by cell. "*" in a state: one call, ours 101, theirs 4369.
enum class Start { kIdle, kEstablished, kCalling, kWaitStopReply, kFlush };

struct Cell {
  const char* event;
  const char* idle;
  const char* established;
  const char* calling;
  const char* wait_stop_reply;
};
constexpr Cell kCells[] = {
    {"SCCRQ", "SCCRP 1", "SCCRP 3", "SCCRP 3", "SCCRP 3"},
    {"old SCCRQ", "SCCRP 5, [closed]", "SCCRP 3", "SCCRP 3", "SCCRP 3"},
    {"new SCCRQ", "SCCRP 1", "SCCRP 3", "SCCRP 3", "SCCRP 3"},
    {"SCCRP", "[closed]", "", "", ""},
    {"StopRQ", "[closed]", "StopRP 1, [closed]", "[lost 101], StopRP 1, [closed]",
     "StopRP 1, [closed]"},
    {"StopRP", "[closed]", "", "", "[closed]"},
    {"EchoRQ", "[closed]", "EchoRP 7", "EchoRP 7", "EchoRP 7"},
    {"EchoRP", "[closed]", "", "", ""},
    {"OCRQ", "[closed]", "[requested 101 8738]", "[requested 102 8738]", ""},
    {"OCRQ again", "[closed]", "[requested 101 4369]", "OCRP 0 4369 2/5", ""},
    {"OCRP", "[closed]", "", "", ""},
    {"ICRQ", "[closed]", "[offered 101 9]", "[offered 102 9]", ""},
    {"ICRP", "[closed]", "", "", ""},
    {"ICCN", "[closed]", "", "", ""},
    {"CCR theirs", "[closed]", "", "[clear 101]", ""},
    {"CCR ours", "[closed]", "", "[clear 101]", ""},
    {"CCR neither", "[closed]", "", "[clear 101]", ""},
    {"CDN", "[closed]", "", "[lost 101]", ""},
    {"WEN", "[closed]", "", "", ""},
    {"SLI", "[closed]", "", "", ""},
    {"unknown", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"cookie", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"length 11", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"length 221", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"length of type", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"management", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"FIN", "[closed]", "[closed]", "[lost 101], [closed]", "[closed]"},
    {"local stop", "[closed]", "StopRQ 3", "[lost 101], StopRQ 3", ""},
    {"all time-outs", "[closed]", "EchoRQ", "EchoRQ", "[closed]"},
};

std::string Happen(Peer& peer, const std::string& event) {
  wp::StartRequest version;
  version.version = event == "old SCCRQ" ? 0x00ff : event == "new SCCRQ" ? 0x0200 : 0x0100;
  const std::vector<std::pair<std::string, std::vector<uint8_t>>> kOctets = {
      {"SCCRQ", wp::Emit(version)},
      {"old SCCRQ", wp::Emit(version)},
      {"new SCCRQ", wp::Emit(version)},
      {"SCCRP", wp::Emit(wp::StartReply{})},
      {"StopRQ", wp::Emit(wp::StopRequest{})},
      {"StopRP", wp::Emit(wp::StopReply{})},
      {"EchoRQ", wp::Emit(wp::EchoRequest{.identifier = 7})},
      {"EchoRP", wp::Emit(wp::EchoReply{})},
      {"OCRQ", wp::Emit(wp::OutgoingCallRequest{.call_id = 0x2222})},
      {"OCRQ again", wp::Emit(wp::OutgoingCallRequest{.call_id = kTheirs})},
      {"OCRP", wp::Emit(wp::OutgoingCallReply{})},
      {"ICRQ", wp::Emit(wp::IncomingCallRequest{.call_id = 9})},
      {"ICRP", wp::Emit(wp::IncomingCallReply{})},
      {"ICCN", wp::Emit(wp::IncomingCallConnected{})},
      {"CCR theirs", wp::Emit(wp::CallClearRequest{.call_id = kTheirs})},
      {"CCR ours", wp::Emit(wp::CallClearRequest{.call_id = kOurs})},
      {"CCR neither", wp::Emit(wp::CallClearRequest{.call_id = 7})},
      {"CDN", wp::Emit(wp::CallDisconnectNotify{.call_id = kTheirs, .result = 4})},
      {"WEN", wp::Emit(wp::WanErrorNotify{.peer_call_id = kOurs})},
      {"SLI", wp::Emit(wp::SetLinkInfo{.peer_call_id = kOurs})},
      {"unknown", Raw(12, 1, wp::kMagicCookie, 16)},
      {"cookie", Raw(16, 1, 0x1a2b3c4e, 5)},
      {"length 11", Raw(11, 1, wp::kMagicCookie, 5)},
      {"length 221", Raw(221, 1, wp::kMagicCookie, 5)},
      {"length of type", Raw(20, 1, wp::kMagicCookie, 5)},
      {"management", Raw(16, 2, wp::kMagicCookie, 5)},
  };
  for (const auto& [name, octets] : kOctets) {
    if (name == event) {
      return peer.ReceiveOctets(octets);
    }
  }
  if (event == "FIN") {
    peer.connection().OnPeerClosed("gone");
  } else if (event == "local stop") {
    peer.connection().Stop(StopReason::kLocalShutdown, peer.now_ms());
  } else {
    return peer.Wait(*peer.connection().deadline_ms() - peer.now_ms());
  }
  return peer.Take();
}

TEST(ControlConnection, EveryCellOfTheReceiverAutomaton) {
  for (const Cell& cell : kCells) {
    SCOPED_TRACE(cell.event);
    Peer idle, established, calling, waiting;
    established.Establish();
    calling.Establish();
    calling.Dial();
    waiting.Establish();
    waiting.connection().Stop(StopReason::kNone, waiting.now_ms());
    EXPECT_EQ(waiting.Take(), "StopRQ 1");
    EXPECT_EQ(Happen(idle, cell.event), cell.idle) << "idle";
    EXPECT_EQ(Happen(established, cell.event), cell.established) << "established";
    EXPECT_EQ(Happen(calling, cell.event), cell.calling) << "calling";
    EXPECT_EQ(Happen(waiting, cell.event), cell.wait_stop_reply) << "wait_stop_reply";
  }
}

TEST(ControlConnection, StartThatPolicyRefuses) {
  Peer stranger;
  stranger.start_verdict_ = StartVerdict::kNotAuthorised;
  EXPECT_EQ(stranger.Receive(wp::StartRequest{}), "SCCRP 4, [closed]");
  Peer late;
  late.start_verdict_ = StartVerdict::kNoResource;
  EXPECT_EQ(late.Receive(wp::StartRequest{}), "SCCRP 2/4, [closed]");
  EXPECT_EQ(late.counters().refused_starts, 1u);
}

TEST(ControlConnection, ClosedIsTheEnd) {
  Peer peer;
  peer.Establish();
  peer.connection().OnPeerClosed("gone");
  EXPECT_EQ(peer.Take(), "[closed]");
  for (const Cell& cell : kCells) {
    if (std::string(cell.event) != "all time-outs") {
      EXPECT_EQ(Happen(peer, cell.event), "") << cell.event;
    }
  }
  EXPECT_EQ(peer.connection().deadline_ms(), std::nullopt);
  EXPECT_FALSE(peer.connection().AcceptCall(kOurs, peer.now_ms()));
}

TEST(ControlConnection, RefusedInputIsCounted) {
  auto after = [](const char* event) {
    Peer peer;
    peer.Establish();
    Happen(peer, event);
    return peer.counters();
  };
  EXPECT_EQ(after("cookie").bad_cookies, 1u);
  EXPECT_EQ(after("length 11").bad_lengths, 1u);
  EXPECT_EQ(after("length of type").bad_lengths, 1u);
  EXPECT_EQ(after("management").bad_message_types, 1u);
  EXPECT_EQ(after("unknown").unknown_types, 1u);
  EXPECT_EQ(after("SCCRQ").unexpected_messages, 1u);
  EXPECT_EQ(after("old SCCRQ").unexpected_messages, 1u);
  EXPECT_EQ(after("WEN").unknown_call_ids, 1u);
  EXPECT_EQ(after("ICCN").unknown_call_ids, 1u);
  EXPECT_EQ(after("CCR theirs").unknown_call_ids, 1u);
  EXPECT_EQ(after("SLI").unknown_call_ids, 1u);
}

// A whole session's octets, cut in two at every place, and octet by octet.
TEST(ControlConnection, AnySegmentationGivesTheSame) {
  std::vector<uint8_t> stream;
  for (const wp::Message& message : std::initializer_list<wp::Message>{
           wp::StartRequest{}, wp::OutgoingCallRequest{.call_id = kTheirs},
           wp::SetLinkInfo{.peer_call_id = kOurs}, wp::EchoRequest{.identifier = 3},
           wp::CallClearRequest{.call_id = kTheirs}, wp::StopRequest{}}) {
    std::vector<uint8_t> octets = wp::Emit(message);
    stream.insert(stream.end(), octets.begin(), octets.end());
  }
  const std::string kExpected =
      "[requested 101 4369], [clear 101], [lost 101], SCCRP 1, EchoRP 3, StopRP 1, [closed]";
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Peer peer;
    wire::Octets all(stream);
    peer.connection().OnOctets(all.first(cut), 0);
    peer.connection().OnOctets(all.subspan(cut), 0);
    ASSERT_EQ(peer.Take(), kExpected) << "cut at " << cut;
  }
  Peer peer;
  for (uint8_t octet : stream) {
    peer.connection().OnOctets({&octet, 1}, 0);
  }
  EXPECT_EQ(peer.Take(), kExpected);
}

TEST(ControlConnection, PartialWritesLoseNothing) {
  Peer peer;
  peer.connection().OnOctets(wp::Emit(wp::StartRequest{}), 0);
  peer.connection().OnOctets(wp::Emit(wp::EchoRequest{.identifier = 5}), 0);
  std::vector<uint8_t> written;
  while (!peer.connection().PendingOutput().empty()) {
    wire::Octets front = peer.connection().PendingOutput();
    EXPECT_LE(front.size(), 156u) << "two messages in one write";
    written.push_back(front[0]);
    peer.connection().OnWritten(1);
  }
  ASSERT_EQ(written.size(), 156u + 20u);
  wp::StreamParser parser;
  wire::Octets in(written);
  EXPECT_TRUE(std::holds_alternative<wp::StartReply>(*parser.Next(in)));
  EXPECT_EQ(std::get<wp::EchoReply>(*parser.Next(in)).identifier, 5u);
}

TEST(ControlConnection, PeerThatDoesNotReadIsClosed) {
  Peer peer;
  peer.Establish();
  std::vector<uint8_t> echo = wp::Emit(wp::EchoRequest{});
  for (int i = 0; i < 65536 / 20; ++i) {
    peer.connection().OnOctets(echo, 0);
  }
  EXPECT_EQ(peer.Take(/*write=*/false), "");
  peer.connection().OnOctets(echo, 0);
  EXPECT_EQ(peer.Take(/*write=*/false), "[closed]");
  EXPECT_TRUE(peer.connection().PendingOutput().empty());
  EXPECT_EQ(peer.counters().output_overflows, 1u);
}

TEST(ControlConnection, SeveralCallsUpToTheLimit) {
  Peer peer;
  peer.Establish();
  peer.Dial(0, 101);  // 0 is a Call ID that clients use
  peer.Dial(7, 102);
  peer.Dial(8, 103);
  EXPECT_EQ(peer.Receive(wp::OutgoingCallRequest{.call_id = 9}), "OCRP 0 9 2/4");
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 55}), "") << "which one?";
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 7}), "[clear 102]");
  peer.connection().DisconnectCall(102, DisconnectResult::kRequest, "1s", peer.now_ms());
  EXPECT_EQ(peer.Take(), "CDN 102 4/0");
  peer.Dial(9, 104);
  EXPECT_EQ(peer.connection().num_calls(), 3u);
}

TEST(ControlConnection, NoFreeCallIdIsRefused) {
  Peer peer;
  peer.Establish();
  peer.no_call_id_ = Refusal::kNoResource;
  EXPECT_EQ(peer.Receive(wp::OutgoingCallRequest{.call_id = 5}), "OCRP 0 5 2/4");
  peer.no_call_id_ = Refusal::kBusy;  // its source is too quick
  EXPECT_EQ(peer.Receive(wp::OutgoingCallRequest{.call_id = 5}), "OCRP 0 5 4/0");
  peer.no_call_id_ = Refusal::kNotAccepted;
  EXPECT_EQ(peer.Receive(wp::OutgoingCallRequest{.call_id = 5}), "OCRP 0 5 7/0");
  EXPECT_EQ(peer.counters().refused_calls, 3u);
}

TEST(ControlConnection, PendingCallMayBeRefusedOrCleared) {
  Peer peer;
  peer.Establish();
  peer.Receive(wp::OutgoingCallRequest{.call_id = 5});
  peer.connection().RefuseCall(101, Refusal::kNoResource, peer.now_ms());
  EXPECT_EQ(peer.Take(), "OCRP 0 5 2/4");
  peer.Receive(wp::OutgoingCallRequest{.call_id = 5});
  peer.connection().RefuseCall(102, Refusal::kNotAccepted, peer.now_ms());
  EXPECT_EQ(peer.Take(), "OCRP 0 5 7/0");
  peer.Receive(wp::OutgoingCallRequest{.call_id = 5});
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 5}), "[clear 103]");
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 5}), "") << "asked twice, told once";
  EXPECT_FALSE(peer.connection().AcceptCall(103, peer.now_ms()));
  peer.connection().DisconnectCall(103, DisconnectResult::kRequest, "", peer.now_ms());
  EXPECT_EQ(peer.Take(), "CDN 103 4/0");
}

TEST(ControlConnection, DisconnectNotifyCarriesStatistics) {
  Peer peer;
  peer.Establish();
  peer.Dial();
  peer.connection().DisconnectCall(kOurs, DisconnectResult::kError, std::string(500, 'x'),
                                   peer.now_ms());
  auto message = wp::Parse(peer.connection().PendingOutput());
  ASSERT_TRUE(message.has_value());
  const auto& notify = std::get<wp::CallDisconnectNotify>(*message);
  EXPECT_EQ(notify.error, 6);
  EXPECT_EQ(notify.statistics.back(), 'x');
  peer.connection().DisconnectCall(kOurs, DisconnectResult::kError, "", peer.now_ms());
  EXPECT_EQ(peer.Take(), "CDN 101 2/6") << "told once";
}

TEST(ControlConnection, AnyMessageRestartsTheSilenceTimer) {
  Peer peer;
  peer.Establish();
  peer.Dial();
  EXPECT_EQ(peer.Wait(9'999), "");
  EXPECT_EQ(peer.Receive(wp::SetLinkInfo{.peer_call_id = kOurs}), "");
  EXPECT_EQ(peer.Wait(9'999), "");
  EXPECT_EQ(peer.Wait(1), "EchoRQ");
  EXPECT_EQ(peer.Wait(4'999), "");
  EXPECT_EQ(peer.Receive(wp::EchoReply{.identifier = 1}), "");
  EXPECT_EQ(peer.Wait(9'999), "");
  EXPECT_EQ(peer.Wait(1), "EchoRQ");
  EXPECT_EQ(peer.Wait(5'000), "[lost 101], [closed]");
  EXPECT_EQ(peer.counters().echo_timeouts, 1u);
}

TEST(ControlConnection, SilentPeersAreClosedInTime) {
  Peer silent;
  EXPECT_EQ(silent.Wait(29'999), "");
  EXPECT_EQ(silent.Wait(1), "[closed]");
  EXPECT_EQ(silent.counters().start_timeouts, 1u);

  Peer stopping;
  stopping.Establish();
  stopping.connection().Stop(StopReason::kNone, stopping.now_ms());
  stopping.Take();
  EXPECT_EQ(stopping.Wait(2'999), "");
  EXPECT_EQ(stopping.Wait(1), "[closed]");

  Peer unread;  // StopCCRP cannot be written
  unread.Establish();
  unread.connection().OnOctets(wp::Emit(wp::StopRequest{}), unread.now_ms());
  EXPECT_EQ(unread.Take(/*write=*/false), "");
  unread.connection().OnTimer(unread.now_ms() + 3'000);
  EXPECT_EQ(unread.Take(/*write=*/false), "[closed]");
}

TEST(ControlConnection, WithoutCallsItIsStopped) {
  ControlSettings settings = TestSettings();
  settings.echo_interval_ms = 1'000'000;
  Peer idle(settings);
  idle.Establish();
  EXPECT_EQ(idle.Wait(59'999), "");
  EXPECT_EQ(idle.Wait(1), "StopRQ 1");

  Peer hung_up(settings);  // the client may dial again
  hung_up.Establish();
  hung_up.Dial();
  EXPECT_EQ(hung_up.Wait(100'000), "") << "not while there is a call";
  hung_up.Receive(wp::CallClearRequest{.call_id = kTheirs});
  hung_up.connection().DisconnectCall(kOurs, DisconnectResult::kRequest, "", hung_up.now_ms());
  EXPECT_EQ(hung_up.Take(), "CDN 101 4/0");
  EXPECT_EQ(hung_up.Wait(59'999), "");
  EXPECT_EQ(hung_up.Wait(1), "StopRQ 1");

  Peer ended(settings);  // by us
  ended.Establish();
  ended.Dial();
  ended.connection().DisconnectCall(kOurs, DisconnectResult::kLostCarrier, "", ended.now_ms());
  EXPECT_EQ(ended.Take(), "CDN 101 1/0");
  EXPECT_EQ(ended.Wait(2'999), "");
  EXPECT_EQ(ended.Wait(1), "StopRQ 1");
}

TEST(ControlConnection, StartReplyNamesUs) {
  Peer peer;
  peer.connection().OnOctets(wp::Emit(wp::StartRequest{}), 0);
  auto message = wp::Parse(peer.connection().PendingOutput());
  ASSERT_TRUE(message.has_value());
  const auto& reply = std::get<wp::StartReply>(*message);
  EXPECT_EQ(reply.version, 0x0100);
  EXPECT_EQ(wp::FromName(reply.host_name), "gateway");
  EXPECT_EQ(wp::FromName(reply.vendor), "Culvert");
  EXPECT_EQ(reply.framing_capabilities, 3u);
  EXPECT_EQ(reply.max_channels, 3);
}

}  // namespace
}  // namespace culvert::pptp
