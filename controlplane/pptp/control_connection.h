// ControlConnection: one PPTP control connection as the PAC that was called (RFC 2637 s3.1,
// s3.2), without socket, clock or thread. Inputs are On...() and the call functions; outputs
// are effects and octets to write, which the caller takes after every input. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controlplane/pptp/output_queue.h"
#include "proto/wire/cursor.h"
#include "proto/wire/pptp.h"

namespace culvert::pptp {

// ControlSettings: the `pptp` section of the configuration, shared by all connections.
struct ControlSettings {
  std::string host_name, vendor;
  uint64_t start_timeout_ms = 30000;  // accept to Start-Control-Connection-Request
  uint64_t echo_interval_ms = 60000;  // of silence before we ask
  uint64_t echo_timeout_ms = 60000;   // of silence after we asked
  uint64_t stop_timeout_ms = 3000;    // for Stop-Control-Connection-Reply
  uint64_t idle_timeout_ms = 60000;   // established, but without a call
  uint16_t receive_window = 64;       // packets, announced in Outgoing-Call-Reply
  size_t max_calls = 65535;
  size_t max_output_len = 65536;  // a peer that does not read is closed beyond this
};

// What peers sent and we refused or ignored; each is a counter of the process.
struct ControlCounters {
  uint64_t bad_lengths = 0;
  uint64_t bad_cookies = 0;
  uint64_t bad_message_types = 0;
  uint64_t unknown_types = 0;        // control type outside 1-15
  uint64_t unexpected_messages = 0;  // known, but not in this state
  uint64_t unknown_call_ids = 0;
  uint64_t unsupported_versions = 0;
  uint64_t refused_calls = 0;
  uint64_t start_timeouts = 0;
  uint64_t echo_timeouts = 0;
  uint64_t output_overflows = 0;
};

// Effects. Call IDs are ours (S) unless they are called peer_call_id (C).
struct CallRequested {  // answer with AcceptCall() or RefuseCall()
  uint16_t call_id;
  uint16_t peer_call_id;
  uint16_t peer_receive_window;
};
struct CallClearRequested {  // the peer hangs up: answer with DisconnectCall()
  uint16_t call_id;
};
struct CallLost {  // the call is gone, nothing more can be sent for it
  uint16_t call_id;
  std::string reason;
};
struct Closed {  // last effect: close the socket; every call was lost before
  std::string reason;
};
using Effect = std::variant<CallRequested, CallClearRequested, CallLost, Closed>;

// Result codes of Outgoing-Call-Reply (s2.8), Call-Disconnect-Notify (s2.13) and reasons of
// Stop-Control-Connection-Request (s2.3) that we send.
enum class Refusal : uint8_t { kNoResource, kBadCallId, kNotAccepted };
enum class DisconnectResult : uint8_t { kLostCarrier = 1, kError = 2, kShutdown = 3, kRequest = 4 };
enum class StopReason : uint8_t { kNone = 1, kProtocol = 2, kLocalShutdown = 3 };

class ControlConnection {
 public:
  // AllocateCallId gives a Call ID that no other call to this local address has; 0: none is free.
  using AllocateCallId = std::function<uint16_t()>;

  // `counters` outlives the connection. `echo_jitter_permille` (900-1100) scales the echo
  // interval, so that many connections do not ask at once.
  ControlConnection(std::shared_ptr<const ControlSettings> settings, AllocateCallId allocate,
                    ControlCounters* counters, uint32_t echo_jitter_permille, uint64_t now_ms);

  // OnOctets takes what was read, however TCP cut it.
  void OnOctets(wire::Octets in, uint64_t now_ms);
  // OnPeerClosed: FIN, RST or any error of the socket.
  void OnPeerClosed(std::string_view reason);
  void OnTimer(uint64_t now_ms);

  // AcceptCall sends Outgoing-Call-Reply with result 1. False: the call is gone already.
  bool AcceptCall(uint16_t call_id, uint64_t now_ms);
  void RefuseCall(uint16_t call_id, Refusal refusal, uint64_t now_ms);
  // DisconnectCall sends Call-Disconnect-Notify and forgets the call; does nothing when it is gone.
  void DisconnectCall(uint16_t call_id, DisconnectResult result, std::string_view statistics,
                      uint64_t now_ms);
  // Stop asks the peer to close (s3.1.2). Calls should be disconnected before.
  void Stop(StopReason reason, uint64_t now_ms);

  // PendingOutput borrows the next octets to write, never more than one message; valid until the
  // next input.
  [[nodiscard]] wire::Octets PendingOutput() const { return output_.Front(); }
  void OnWritten(size_t len);

  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  [[nodiscard]] std::vector<Effect> TakeEffects();
  [[nodiscard]] bool established() const { return state_ == State::kEstablished; }
  [[nodiscard]] size_t num_calls() const { return calls_.size(); }

 private:
  // kFlush: nothing more is read; closed when the output is written or time is over.
  enum class State : uint8_t { kIdle, kEstablished, kWaitStopReply, kFlush, kClosed };
  struct CallState {
    enum class Step : uint8_t { kPending, kConnected, kClearing };
    uint16_t call_id = 0;
    uint16_t peer_call_id = 0;
    Step step = Step::kPending;
    wire::pptp::SetLinkInfo link_info;  // stored, of no meaning without an async line
  };

  bool alive() const { return state_ != State::kFlush && state_ != State::kClosed; }
  void Send(const wire::pptp::Message& message);
  void OnMessage(const wire::pptp::Message& message, uint64_t now_ms);
  void OnParseError(wire::pptp::Error error);
  void OnStartRequest(const wire::pptp::StartRequest& request, uint64_t now_ms);
  void OnStopRequest(uint64_t now_ms);
  void OnOutgoingCallRequest(const wire::pptp::OutgoingCallRequest& request, uint64_t now_ms);
  void OnIncomingCallRequest(const wire::pptp::IncomingCallRequest& request);
  void OnCallClearRequest(const wire::pptp::CallClearRequest& request);
  void OnCallDisconnectNotify(const wire::pptp::CallDisconnectNotify& notify, uint64_t now_ms);
  void OnSetLinkInfo(const wire::pptp::SetLinkInfo& info);
  void SendStartReply(uint8_t result);
  void SendCallReply(uint16_t call_id, uint16_t peer_call_id, uint8_t result, uint8_t error);
  CallState* FindByOurs(uint16_t call_id);
  CallState* FindByPeers(uint16_t call_id);
  CallState* FindLoosely(uint16_t call_id);
  void Forget(uint16_t call_id, uint64_t idle_ms, uint64_t now_ms);
  void LoseCalls(std::string_view reason);
  void FlushAndClose(std::string_view reason, uint64_t now_ms);
  void Close(std::string_view reason);

  std::shared_ptr<const ControlSettings> settings_;
  AllocateCallId allocate_;
  ControlCounters* counters_;
  uint64_t echo_interval_ms_;
  wire::pptp::StreamParser parser_;
  OutputQueue output_;
  std::vector<Effect> effects_;
  std::vector<CallState> calls_;  // few; clients have one
  State state_ = State::kIdle;
  std::string close_reason_;
  uint64_t state_deadline_ms_;        // kIdle, kWaitStopReply, kFlush
  uint64_t silence_deadline_ms_ = 0;  // kEstablished
  uint64_t idle_deadline_ms_ = 0;     // kEstablished and no call
  bool echo_outstanding_ = false;
  uint32_t echo_identifier_ = 0;
};

}  // namespace culvert::pptp
