#include "controlplane/client_role/control_client.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <gtest/gtest.h>

#include <functional>

namespace culvert::client_role {
namespace {

namespace wp = wire::pptp;

constexpr uint16_t kOurs = 7, kTheirs = 900;

struct Describer {
  std::string operator()(const Established&) { return "[established]"; }
  std::string operator()(const CallOpened& e) { return absl::StrCat("[opened ", e.call_id, "]"); }
  std::string operator()(const CallRefused& e) {
    return absl::StrCat("[refused ", e.call_id, " ", e.result, "/", e.error, "]");
  }
  std::string operator()(const CallClosed& e) { return absl::StrCat("[gone ", e.call_id, "]"); }
  std::string operator()(const ConnectionClosed&) { return "[closed]"; }
};

// Line is a client with its TCP connection.
struct Line {
  ControlClientSettings settings{.host_name = "pc", .vendor = "test"};
  ControlClient client{&settings};
  uint64_t now_ms = 1000;

  std::string Receive(const wp::Message& message) {
    client.OnOctets(wp::Emit(message), now_ms);
    return Take();
  }
  std::string Wait(uint64_t ms) {
    now_ms += ms;
    client.OnTimer(now_ms);
    return Take();
  }
  std::string Take() {
    std::vector<std::string> words;
    for (const ControlEffect& effect : client.TakeEffects()) {
      words.push_back(std::visit(Describer{}, effect));
    }
    while (!client.PendingOutput().empty()) {
      const auto message = wp::Parse(client.PendingOutput());
      words.push_back(message ? std::string(wp::ToString(wp::TypeOf(*message))) : "?");
      client.OnWritten(client.PendingOutput().size());
    }
    return absl::StrJoin(words, ", ");
  }
};

enum class State { kIdle, kWaitReply, kEstablished, kWaitStopReply };

void Bring(Line& line, State state) {
  if (state == State::kIdle) {
    return;
  }
  line.client.OnConnected(line.now_ms);
  ASSERT_NE(line.Take(), "");
  if (state == State::kWaitReply) {
    return;
  }
  ASSERT_EQ(line.Receive(wp::StartReply{}), "[established]");
  if (state == State::kWaitStopReply) {
    line.client.Stop(pptp::StopReason::kNone, line.now_ms);
    ASSERT_NE(line.Take(), "");
  }
}

std::string Name(wp::MessageType type) { return std::string(wp::ToString(type)); }

struct Cell {
  State state;
  std::function<std::string(Line&)> happen;
  std::string expected;
};

using Happen = std::function<std::string(Line&)>;

Happen Receive(const wp::Message& message) {
  return [message](Line& line) { return line.Receive(message); };
}
Happen Collide(uint32_t ours) {
  return [ours](Line& line) {
    line.client.OnCollision(ours, 0x0a000002);
    return line.Take();
  };
}
std::string Minute(Line& line) {
  EXPECT_EQ(line.Wait(2'999), "");
  return line.Wait(57'001);
}
std::string StopIt(Line& line) {
  line.client.Stop(pptp::StopReason::kNone, line.now_ms);
  return line.Take();
}
std::string Connect(Line& line) {
  line.client.OnConnected(line.now_ms);
  return line.Take();
}

// The originator's automaton (RFC 2637 s3.1.1), each state with each of its events.
TEST(ControlClient, EveryCellOfTheOriginatorAutomaton) {
  const std::string start = Name(wp::MessageType::kStartRequest);
  const std::string stop = Name(wp::MessageType::kStopRequest);
  const std::string stopped = Name(wp::MessageType::kStopReply);
  wp::StartReply older;
  older.version = 0x00ff;
  const Cell kCells[] = {
      {State::kIdle, Connect, start},
      {State::kIdle, StopIt, ""},
      {State::kWaitReply, Connect, ""},
      {State::kWaitReply, Receive(wp::StartReply{}), "[established]"},
      {State::kWaitReply, Receive(wp::StartReply{.result = 4}), "[closed]"},
      {State::kWaitReply, Receive(older), stop},
      {State::kWaitReply, Receive(wp::EchoRequest{}), "[closed]"},
      {State::kWaitReply, Collide(0x0a000001), "[closed]"},
      {State::kWaitReply, Collide(0x0a000003), ""},
      {State::kWaitReply, Minute, "[closed]"},
      {State::kEstablished, Receive(wp::StartReply{}), ""},
      {State::kEstablished, Receive(wp::StopRequest{}), "[closed], " + stopped},
      {State::kEstablished, Receive(wp::EchoRequest{}), Name(wp::MessageType::kEchoReply)},
      {State::kEstablished, Collide(0x0a000001), ""},
      {State::kEstablished, StopIt, stop},
      {State::kEstablished, Minute, ""},
      {State::kWaitStopReply, Receive(wp::StopReply{}), "[closed]"},
      {State::kWaitStopReply, Receive(wp::StopRequest{}), "[closed], " + stopped},
      {State::kWaitStopReply, Minute, "[closed]"},
  };
  for (const Cell& cell : kCells) {
    SCOPED_TRACE(&cell - kCells);
    Line line;
    Bring(line, cell.state);
    EXPECT_EQ(cell.happen(line), cell.expected);
  }
}

TEST(ControlClient, CallFromRequestToDisconnect) {
  Line line;
  Bring(line, State::kEstablished);
  line.client.Dial(kOurs, line.now_ms);
  EXPECT_EQ(line.Take(), Name(wp::MessageType::kOutgoingCallRequest));
  EXPECT_EQ(line.Receive(wp::OutgoingCallReply{.call_id = kTheirs, .peer_call_id = kOurs}),
            "[opened 7]");
  EXPECT_EQ(line.Wait(100'000), "") << "nothing is awaited";
  line.client.HangUp(kOurs, line.now_ms);
  line.client.HangUp(kOurs, line.now_ms);
  EXPECT_EQ(line.Take(), Name(wp::MessageType::kCallClearRequest)) << "asked once";
  EXPECT_EQ(line.Receive(wp::CallDisconnectNotify{.call_id = kTheirs, .result = 4}), "[gone 7]");
  line.client.Dial(kOurs, line.now_ms);
  EXPECT_EQ(line.Receive(wp::OutgoingCallReply{.peer_call_id = kOurs, .result = 2, .error = 4}),
            "[refused 7 2/4], " + Name(wp::MessageType::kOutgoingCallRequest));
}

TEST(ControlClient, CallHungUpBeforeItsReply) {
  Line line;
  Bring(line, State::kEstablished);
  line.client.Dial(kOurs, line.now_ms);
  line.client.HangUp(kOurs, line.now_ms);
  line.Take();
  EXPECT_EQ(line.Receive(wp::OutgoingCallReply{.call_id = kTheirs, .peer_call_id = kOurs}), "");
  EXPECT_EQ(line.Receive(wp::CallDisconnectNotify{.call_id = kTheirs, .result = 4}), "[gone 7]");
}

TEST(ControlClient, CallWithoutReplyClosesTheConnection) {
  Line line;
  Bring(line, State::kEstablished);
  line.client.Dial(kOurs, line.now_ms);
  line.Take();
  EXPECT_EQ(line.Wait(59'999), "");
  EXPECT_EQ(line.Wait(1), "[closed]");
}

// Each wait ends by itself; what a call waited for before it was hung up does not count any more.
TEST(ControlClient, WaitsForTheCallThatHasWaitedLongest) {
  Line line;
  Bring(line, State::kEstablished);
  for (const uint16_t call_id : {1, 2, 3}) {
    line.client.Dial(call_id, line.now_ms);
    line.now_ms += 1000;
  }
  EXPECT_EQ(line.client.deadline_ms(), 61'000);
  line.Receive(wp::OutgoingCallReply{.call_id = 11, .peer_call_id = 1});
  EXPECT_EQ(line.client.deadline_ms(), 62'000);
  line.client.HangUp(2, line.now_ms);
  EXPECT_EQ(line.client.deadline_ms(), 63'000);
  line.Receive(wp::OutgoingCallReply{.call_id = 13, .peer_call_id = 3});
  EXPECT_EQ(line.client.deadline_ms(), 64'000) << "the one that was hung up";
  EXPECT_EQ(line.Wait(59'999), "");
  EXPECT_EQ(line.Wait(1), "[closed]");
}

TEST(ControlClient, HoldsAsManyCallsAsThereAreCallIds) {
  constexpr uint16_t kOffset = 4711;
  Line line;
  Bring(line, State::kEstablished);
  for (uint32_t id = 1; id <= UINT16_MAX; ++id) {
    line.client.Dial(static_cast<uint16_t>(id), line.now_ms);
    line.client.OnWritten(line.client.PendingOutput().size());
  }
  const auto peer_of = [](uint32_t id) { return static_cast<uint16_t>(id + kOffset); };
  for (uint32_t id = 1; id <= UINT16_MAX; ++id) {
    line.client.OnOctets(wp::Emit(wp::OutgoingCallReply{.call_id = peer_of(id),
                                                        .peer_call_id = static_cast<uint16_t>(id)}),
                         line.now_ms);
  }
  EXPECT_EQ(line.client.TakeEffects().size(), UINT16_MAX);
  EXPECT_EQ(line.client.deadline_ms(), std::nullopt);
  for (uint32_t id = UINT16_MAX; id > 1; --id) {
    line.client.OnOctets(wp::Emit(wp::CallDisconnectNotify{.call_id = peer_of(id), .result = 4}),
                         line.now_ms);
  }
  EXPECT_EQ(line.client.TakeEffects().size(), UINT16_MAX - 1);
  EXPECT_EQ(line.Receive(wp::CallDisconnectNotify{.call_id = peer_of(1), .result = 4}), "[gone 1]");
}

TEST(ControlClient, TheHigherAddressWinsACollision) {
  EXPECT_TRUE(WinsCollision(0xc0a80002, 0xc0a80001));
  EXPECT_FALSE(WinsCollision(0x0a000001, 0xc0a80001)) << "unsigned";
  EXPECT_TRUE(WinsCollision(0xff000001, 0x0a000001));
}

}  // namespace
}  // namespace culvert::client_role
