// What the tests of control connections are written in: a Peer is the other side, its socket and
// our caller; what happens is told in short words. Only for tests.
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/pptp/control_connection.h"

namespace culvert::pptp {

namespace wp = wire::pptp;

constexpr uint16_t kTheirs = 0x1111;  // C
constexpr uint16_t kOurs = 101;       // S, the first that the test's allocator gives

inline ControlSettings TestSettings() {
  ControlSettings settings;
  settings.host_name = "gateway";
  settings.vendor = "Culvert";
  settings.start_timeout_ms = 30'000;
  settings.echo_interval_ms = 10'000;
  settings.echo_timeout_ms = 5'000;
  settings.stop_timeout_ms = 3'000;
  settings.idle_timeout_ms = 60'000;
  settings.max_calls = 3;
  return settings;
}

struct Describer {
  std::string operator()(const wp::StartReply& m) {
    return absl::StrCat("SCCRP ", m.result) + (m.error != 0 ? absl::StrCat("/", m.error) : "");
  }
  std::string operator()(const wp::StopRequest& m) { return absl::StrCat("StopRQ ", m.reason); }
  std::string operator()(const wp::StopReply& m) { return absl::StrCat("StopRP ", m.result); }
  std::string operator()(const wp::EchoRequest&) { return "EchoRQ"; }
  std::string operator()(const wp::EchoReply& m) { return absl::StrCat("EchoRP ", m.identifier); }
  std::string operator()(const wp::OutgoingCallReply& m) {
    return absl::StrCat("OCRP ", m.call_id, " ", m.peer_call_id, " ", m.result, "/", m.error);
  }
  std::string operator()(const wp::IncomingCallReply& m) {
    return absl::StrCat("ICRP ", m.call_id, " ", m.peer_call_id, " ", m.result, "/", m.error);
  }
  std::string operator()(const wp::CallClearRequest& m) { return absl::StrCat("CCR ", m.call_id); }
  std::string operator()(const wp::CallDisconnectNotify& m) {
    return absl::StrCat("CDN ", m.call_id, " ", m.result, "/", m.error);
  }
  template <typename T>
  std::string operator()(const T&) {
    return "?";
  }
  std::string operator()(const CallRequested& e) {
    return absl::StrCat(e.incoming ? "[offered " : "[requested ", e.call_id, " ", e.peer_call_id,
                        "]");
  }
  std::string operator()(const CallConnected& e) {
    return absl::StrCat("[connected ", e.call_id, " ", e.peer_receive_window, "]");
  }
  std::string operator()(const CallClearRequested& e) {
    return absl::StrCat("[clear ", e.call_id, "]");
  }
  std::string operator()(const CallLost& e) { return absl::StrCat("[lost ", e.call_id, "]"); }
  std::string operator()(const Closed&) { return "[closed]"; }
};

// Peer is the client and the socket.
class Peer : public ControlGate {
 public:
  explicit Peer(ControlSettings settings = TestSettings())
      : connection_(std::make_shared<ControlSettings>(std::move(settings)), this, &counters_, 1000,
                    now_ms_) {}

  StartVerdict JudgeStart() override { return start_verdict_; }
  tl::expected<uint16_t, Refusal> AllocateCallId() override {
    if (no_call_id_) {
      return tl::unexpected(*no_call_id_);
    }
    return next_id_++;
  }

  // Receive feeds a message and gives what came of it: effects, then what was written.
  std::string Receive(const wp::Message& message) { return ReceiveOctets(wp::Emit(message)); }
  std::string ReceiveOctets(const std::vector<uint8_t>& octets) {
    connection_.OnOctets(octets, now_ms_);
    return Take();
  }
  std::string Wait(uint64_t ms) {
    now_ms_ += ms;
    connection_.OnTimer(now_ms_);
    return Take();
  }
  std::string Take(bool write = true) {
    std::vector<std::string> words;
    for (int round = 0; round < 2; ++round) {  // writing may give effects
      for (const Effect& effect : connection_.TakeEffects()) {
        words.push_back(std::visit(Describer{}, effect));
      }
      while (write && !connection_.PendingOutput().empty()) {
        wire::Octets octets = connection_.PendingOutput();
        auto message = wp::Parse(octets);
        EXPECT_TRUE(message.has_value());
        words.push_back(message ? std::visit(Describer{}, *message) : "unparsable");
        connection_.OnWritten(octets.size());
      }
    }
    return absl::StrJoin(words, ", ");
  }
  void Establish() { EXPECT_EQ(Receive(wp::StartRequest{}), "SCCRP 1"); }
  void Dial(uint16_t theirs = kTheirs, uint16_t ours = kOurs) {
    EXPECT_EQ(Receive(wp::OutgoingCallRequest{.call_id = theirs}),
              absl::StrCat("[requested ", ours, " ", theirs, "]"));
    EXPECT_TRUE(connection_.AcceptCall(ours, now_ms_));
    EXPECT_EQ(Take(), absl::StrCat("OCRP ", ours, " ", theirs, " 1/0"));
  }

  ControlConnection& connection() { return connection_; }
  ControlCounters& counters() { return counters_; }
  uint64_t now_ms() const { return now_ms_; }
  uint16_t next_id_ = kOurs;
  std::optional<Refusal> no_call_id_;
  StartVerdict start_verdict_ = StartVerdict::kAccept;

 private:
  uint64_t now_ms_ = 1'000'000;
  ControlCounters counters_;
  ControlConnection connection_;
};

inline std::vector<uint8_t> Raw(uint16_t len, uint16_t type, uint32_t cookie, uint16_t control) {
  std::vector<uint8_t> octets(std::max<size_t>(len, 12));
  wire::Writer writer(octets);
  writer.U16(len);
  writer.U16(type);
  writer.U32(cookie);
  writer.U16(control);
  return octets;
}

}  // namespace culvert::pptp
