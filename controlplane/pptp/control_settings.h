// What control connections share: settings, counters, effects and the result codes we send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

namespace culvert::pptp {

// ControlSettings: the `pptp` section of the configuration, shared by all connections.
struct ControlSettings {
  std::string host_name, vendor;
  uint64_t start_timeout_ms = 30000;  // accept to Start-Control-Connection-Request
  uint64_t echo_interval_ms = 60000;  // of silence before we ask
  uint64_t echo_timeout_ms = 60000;   // of silence after we asked
  uint64_t stop_timeout_ms = 3000;    // for Stop-Control-Connection-Reply
  uint64_t idle_timeout_ms = 60000;   // established, but without a call
  uint64_t call_timeout_ms = 60000;   // for the peer's next message of a call (s3.2.1)
  uint16_t receive_window = 64;       // packets, announced in Outgoing- and Incoming-Call-Reply
  bool incoming_calls = true;         // dial-in PACs may offer calls
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
  uint64_t refused_starts = 0;
  uint64_t refused_calls = 0;
  uint64_t start_timeouts = 0;
  uint64_t echo_timeouts = 0;
  uint64_t call_timeouts = 0;
  uint64_t output_overflows = 0;
  uint64_t wan_errors = 0;  // that dial-in PACs counted on their lines, all six kinds
};

// Effects. Call IDs are ours (S) unless they are called peer_call_id (C).
struct CallRequested {  // answer with AcceptCall() or RefuseCall()
  uint16_t call_id;
  uint16_t peer_call_id;
  uint16_t peer_receive_window;  // 0: an incoming call, whose window comes when it is connected
  bool incoming;                 // from a dial-in PAC (s2.9)
  std::string called_number, calling_number;  // of an incoming call, as the PAC wrote them
};
struct CallConnected {  // Incoming-Call-Connected: PPP may begin
  uint16_t call_id;
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
using Effect = std::variant<CallRequested, CallConnected, CallClearRequested, CallLost, Closed>;

// Why a call is refused: results of Outgoing-Call-Reply (s2.8) and Incoming-Call-Reply (s2.10).
enum class Refusal : uint8_t { kNoResource, kBadCallId, kNotAccepted, kBusy };
// Results of Call-Disconnect-Notify (s2.13), reasons of Stop-Control-Connection-Request (s2.3).
enum class DisconnectResult : uint8_t { kLostCarrier = 1, kError = 2, kShutdown = 3, kRequest = 4 };
enum class StopReason : uint8_t { kNone = 1, kProtocol = 2, kLocalShutdown = 3 };
// StartVerdict answers a Start-Control-Connection-Request (s2.2).
enum class StartVerdict : uint8_t { kAccept, kNotAuthorised, kNoResource };

}  // namespace culvert::pptp
