// Calls on a control connection: the incoming ones of a dial-in PAC (RFC 2637 s3.2.4) cell by
// cell, and what both kinds have in common.
#include <gtest/gtest.h>

#include <string>

#include "controlplane/pptp/control_script.h"

namespace culvert::pptp {
namespace {

// We are the PNS. The call is ours 101, theirs 4369; kDeciding: our caller has not answered yet.
enum class Step { kIdle, kDeciding, kWaitConnect, kEstablished, kWaitDisconnect };

struct Cell {
  const char* event;
  const char* idle;
  const char* deciding;
  const char* wait_connect;
  const char* established;
  const char* wait_disconnect;
};
constexpr Cell kCells[] = {
    {"ICRQ", "[offered 101 8738]", "[offered 102 8738]", "[offered 102 8738]", "[offered 102 8738]",
     "[offered 102 8738]"},
    {"ICRQ again", "[offered 101 4369]", "ICRP 0 4369 2/5", "ICRP 0 4369 2/5", "ICRP 0 4369 2/5",
     "ICRP 0 4369 2/5"},
    {"ICCN", "", "", "[connected 101 16]", "", ""},
    {"CDN", "", "[lost 101]", "[lost 101]", "[lost 101]", ""},
    {"CDN of ours", "", "[lost 101]", "[lost 101]", "[lost 101]", ""},
    {"CCR", "", "", "", "", ""},
    {"WEN", "", "", "", "", ""},
    {"SLI", "", "", "", "", ""},
    {"accept", "", "ICRP 101 4369 1/0", "", "", ""},
    {"refuse", "", "ICRP 0 4369 3/0", "", "", ""},
    {"disconnect", "", "ICRP 0 4369 3/0", "CCR 101", "CCR 101", ""},
    {"a minute", "", "", "[lost 101], [closed]", "", "[closed]"},
    {"StopRQ", "StopRP 1, [closed]", "[lost 101], StopRP 1, [closed]",
     "[lost 101], StopRP 1, [closed]", "[lost 101], StopRP 1, [closed]", "StopRP 1, [closed]"},
    {"FIN", "[closed]", "[lost 101], [closed]", "[lost 101], [closed]", "[lost 101], [closed]",
     "[closed]"},
};

ControlSettings PatientSettings() {
  ControlSettings settings = TestSettings();
  settings.echo_interval_ms = settings.idle_timeout_ms = 1'000'000;
  settings.call_timeout_ms = 60'000;
  return settings;
}

void Bring(Peer& peer, Step step) {
  peer.Establish();
  if (step == Step::kIdle) {
    return;
  }
  ASSERT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = kTheirs}), "[offered 101 4369]");
  if (step == Step::kDeciding) {
    return;
  }
  ASSERT_TRUE(peer.connection().AcceptCall(kOurs, peer.now_ms()));
  ASSERT_EQ(peer.Take(), "ICRP 101 4369 1/0");
  if (step == Step::kWaitConnect) {
    return;
  }
  ASSERT_EQ(peer.Receive(wp::IncomingCallConnected{.peer_call_id = kOurs, .receive_window = 64}),
            "[connected 101 64]");
  if (step == Step::kWaitDisconnect) {
    peer.connection().DisconnectCall(kOurs, DisconnectResult::kShutdown, "", peer.now_ms());
    ASSERT_EQ(peer.Take(), "CCR 101");
  }
}

std::string Happen(Peer& peer, const std::string& event) {
  ControlConnection& connection = peer.connection();
  if (event == "ICRQ" || event == "ICRQ again") {
    const uint16_t call_id = event == "ICRQ" ? 0x2222 : kTheirs;
    return peer.Receive(wp::IncomingCallRequest{.call_id = call_id});
  }
  if (event == "ICCN") {
    return peer.Receive(wp::IncomingCallConnected{.peer_call_id = kOurs, .receive_window = 16});
  }
  if (event == "CDN" || event == "CDN of ours") {
    const uint16_t call_id = event == "CDN" ? kTheirs : kOurs;
    return peer.Receive(wp::CallDisconnectNotify{.call_id = call_id, .result = 1});
  }
  if (event == "CCR") {
    return peer.Receive(wp::CallClearRequest{.call_id = kTheirs});
  }
  if (event == "WEN") {
    return peer.Receive(wp::WanErrorNotify{.peer_call_id = kOurs});
  }
  if (event == "SLI") {
    return peer.Receive(wp::SetLinkInfo{.peer_call_id = kOurs});
  }
  if (event == "StopRQ") {
    return peer.Receive(wp::StopRequest{});
  }
  if (event == "a minute") {
    EXPECT_EQ(peer.Wait(59'999), "");
    return peer.Wait(1);
  }
  if (event == "accept") {
    (void)connection.AcceptCall(kOurs, peer.now_ms());
  } else if (event == "refuse") {
    connection.RefuseCall(kOurs, Refusal::kNotAccepted, peer.now_ms());
  } else if (event == "disconnect") {
    connection.DisconnectCall(kOurs, DisconnectResult::kShutdown, "", peer.now_ms());
  } else {
    connection.OnPeerClosed("gone");
  }
  return peer.Take();
}

TEST(ControlCalls, EveryCellOfTheIncomingCallAutomaton) {
  for (const Cell& cell : kCells) {
    SCOPED_TRACE(cell.event);
    const std::pair<Step, const char*> kSteps[] = {
        {Step::kIdle, cell.idle},
        {Step::kDeciding, cell.deciding},
        {Step::kWaitConnect, cell.wait_connect},
        {Step::kEstablished, cell.established},
        {Step::kWaitDisconnect, cell.wait_disconnect},
    };
    for (const auto& [step, expected] : kSteps) {
      Peer peer(PatientSettings());
      Bring(peer, step);
      EXPECT_EQ(Happen(peer, cell.event), expected) << "step " << static_cast<int>(step);
    }
  }
}

TEST(ControlCalls, IncomingCallTellsItsNumbers) {
  Peer peer;
  peer.Establish();
  wp::IncomingCallRequest request{.call_id = kTheirs};
  request.dialed_number = wp::ToName("5551000trailing");
  request.dialed_number_len = 7;
  request.dialing_number = wp::ToName(std::string(64, '9'));
  request.dialing_number_len = 0xffff;  // more than there is
  peer.connection().OnOctets(wp::Emit(request), peer.now_ms());
  const std::vector<Effect> effects = peer.connection().TakeEffects();
  ASSERT_EQ(effects.size(), 1u);
  const auto& requested = std::get<CallRequested>(effects[0]);
  EXPECT_TRUE(requested.incoming);
  EXPECT_EQ(requested.called_number, "5551000");
  EXPECT_EQ(requested.calling_number, std::string(64, '9'));
}

TEST(ControlCalls, IncomingCallsMayBeSwitchedOff) {
  ControlSettings settings = TestSettings();
  settings.incoming_calls = false;
  Peer peer(settings);
  peer.Establish();
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 9}), "ICRP 0 9 3/0");
  peer.Dial();
}

TEST(ControlCalls, IncomingCallsAreRefusedWithTheirReason) {
  Peer peer;
  peer.Establish();
  peer.no_call_id_ = Refusal::kNoResource;
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 9}), "ICRP 0 9 2/4");
  peer.no_call_id_ = Refusal::kBusy;
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 9}), "ICRP 0 9 3/0");
  peer.no_call_id_.reset();
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 9}), "[offered 101 9]");
  peer.connection().RefuseCall(kOurs, Refusal::kNoResource, peer.now_ms());
  EXPECT_EQ(peer.Take(), "ICRP 0 9 2/4");
  EXPECT_EQ(peer.counters().refused_calls, 3u);
}

TEST(ControlCalls, ClearedCallWaitsForThePacButNotItsId) {
  Peer peer(PatientSettings());
  Bring(peer, Step::kWaitDisconnect);
  EXPECT_EQ(peer.connection().num_calls(), 1u);
  peer.next_id_ = kOurs;  // our caller gave the id back already
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 5}), "[offered 101 5]");
  EXPECT_EQ(peer.connection().num_calls(), 1u);
  EXPECT_EQ(peer.Receive(wp::CallDisconnectNotify{.call_id = 5, .result = 4}), "[lost 101]");
}

TEST(ControlCalls, WanErrorsAreTotals) {
  Peer peer;
  Bring(peer, Step::kEstablished);
  wp::WanErrorNotify notify{.peer_call_id = kOurs, .crc_errors = 5, .alignment_errors = 2};
  peer.Receive(notify);
  EXPECT_EQ(peer.counters().wan_errors, 7u);
  peer.Receive(notify);
  EXPECT_EQ(peer.counters().wan_errors, 7u);
  notify.hardware_overruns = 1;
  peer.Receive(notify);
  EXPECT_EQ(peer.counters().wan_errors, 8u);
  notify.crc_errors = 0;  // counted anew
  peer.Receive(notify);
  EXPECT_EQ(peer.counters().wan_errors, 8u);
  notify.peer_call_id = 77;
  peer.Receive(notify);
  EXPECT_EQ(peer.counters().unknown_call_ids, 1u);
}

TEST(ControlCalls, MessagesOfTheWrongRoleAreCountedAndIgnored) {
  Peer pac;
  Bring(pac, Step::kEstablished);
  EXPECT_EQ(pac.Receive(wp::CallClearRequest{.call_id = kTheirs}), "") << "only a PNS clears";
  EXPECT_EQ(pac.counters().unexpected_messages, 1u);
  Peer client;
  client.Establish();
  client.Dial();
  EXPECT_EQ(client.Receive(wp::WanErrorNotify{.peer_call_id = kOurs, .crc_errors = 1}), "");
  EXPECT_EQ(client.Receive(wp::IncomingCallConnected{.peer_call_id = kOurs}), "");
  EXPECT_EQ(client.counters().unexpected_messages, 2u);
  EXPECT_EQ(client.counters().wan_errors, 0u);
}

TEST(ControlCalls, BothDirectionsInOneConnection) {
  Peer peer;
  peer.Establish();
  peer.Dial(7, 101);
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 8}), "[offered 102 8]");
  EXPECT_EQ(peer.Receive(wp::IncomingCallRequest{.call_id = 7}), "ICRP 0 7 2/5");
  EXPECT_TRUE(peer.connection().AcceptCall(102, peer.now_ms()));
  EXPECT_EQ(peer.Take(), "ICRP 102 8 1/0");
  EXPECT_EQ(peer.Receive(wp::CallClearRequest{.call_id = 7}), "[clear 101]");
  peer.connection().DisconnectCall(101, DisconnectResult::kRequest, "", peer.now_ms());
  EXPECT_EQ(peer.Take(), "CDN 101 4/0");
  EXPECT_EQ(peer.Receive(wp::IncomingCallConnected{.peer_call_id = 102, .receive_window = 3}),
            "[connected 102 3]");
}

}  // namespace
}  // namespace culvert::pptp
