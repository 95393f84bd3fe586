// ControlClient: the originator of a PPTP control connection (RFC 2637 s3.1.1) and the PNS of its
// outgoing calls (s3.2.1), that is what a VPN client is. Without socket, clock or thread: inputs
// are On...() and the call functions; outputs are effects and octets to write, which the caller
// takes after every input. One thread.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controlplane/pptp/control_settings.h"
#include "controlplane/pptp/output_queue.h"
#include "proto/wire/cursor.h"
#include "proto/wire/pptp.h"

namespace culvert::client_role {

struct ControlClientSettings {
  std::string host_name, vendor;
  uint64_t reply_timeout_ms = 60'000;  // for any reply; the connection is closed after it (s3)
  uint64_t stop_timeout_ms = 3'000;    // for Stop-Control-Connection-Reply
  uint16_t receive_window = 64;        // packets
};

// Effects. `call_id` is ours (C), `peer_call_id` the concentrator's (S).
struct Established {};
struct CallOpened {
  uint16_t call_id, peer_call_id;
};
struct CallRefused {  // result and error of Outgoing-Call-Reply
  uint16_t call_id;
  uint8_t result, error;
};
struct CallClosed {  // Call-Disconnect-Notify, whoever wanted it
  uint16_t call_id;
  uint8_t result;
};
struct ConnectionClosed {  // last effect; every call that is not closed goes with it
  std::string reason;
};
using ControlEffect =
    std::variant<Established, CallOpened, CallRefused, CallClosed, ConnectionClosed>;

// WinsCollision (s3.1.3): both sides opened a connection to each other; the one whose owner has
// the higher address stays. Host order.
[[nodiscard]] constexpr bool WinsCollision(uint32_t our_address, uint32_t peer_address) {
  return our_address > peer_address;
}

class ControlClient {
 public:
  // `settings` outlives the client.
  explicit ControlClient(const ControlClientSettings* settings) : settings_(settings) {}

  // OnConnected: TCP is open; sends Start-Control-Connection-Request.
  void OnConnected(uint64_t now_ms);
  void OnOctets(wire::Octets in, uint64_t now_ms);
  void OnPeerClosed(std::string_view reason);
  void OnTimer(uint64_t now_ms);
  // OnCollision: the peer has sent a Start-Control-Connection-Request on a connection of its own.
  void OnCollision(uint32_t our_address, uint32_t peer_address);

  // Dial asks for a call; `call_id` is none of those that there are. Only when established.
  void Dial(uint16_t call_id, uint64_t now_ms);
  // HangUp sends Call-Clear-Request; CallClosed follows.
  void HangUp(uint16_t call_id, uint64_t now_ms);
  void Stop(pptp::StopReason reason, uint64_t now_ms);

  // PendingOutput borrows the next octets to write, never more than one message.
  [[nodiscard]] wire::Octets PendingOutput() const { return output_.Front(); }
  void OnWritten(size_t len) { output_.Consume(len); }
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  [[nodiscard]] std::vector<ControlEffect> TakeEffects();
  [[nodiscard]] bool established() const { return state_ == State::kEstablished; }

 private:
  enum class State : uint8_t { kIdle, kWaitReply, kEstablished, kWaitStopReply, kClosed };
  struct Call {
    enum class Step : uint8_t { kWaitReply, kEstablished, kWaitDisconnect };
    uint16_t peer_call_id = 0;
    Step step = Step::kWaitReply;
    uint64_t deadline_ms = 0;  // not of kEstablished
  };
  // Wait: a call's, in the order of their ends; one that no call waits for any more stays until it
  // is the first.
  struct Wait {
    uint64_t deadline_ms;
    uint16_t call_id;
  };

  void Send(const wire::pptp::Message& message);
  void OnMessage(const wire::pptp::Message& message, uint64_t now_ms);
  void OnStartReply(const wire::pptp::StartReply& reply, uint64_t now_ms);
  void OnCallReply(const wire::pptp::OutgoingCallReply& reply);
  void OnDisconnect(const wire::pptp::CallDisconnectNotify& notify);
  void Close(std::string_view reason);
  [[nodiscard]] Call* Find(uint16_t call_id);
  [[nodiscard]] bool Waits(const Wait& wait) const;
  void AddWait(uint16_t call_id, Call* call, uint64_t now_ms);
  void DropWaits();
  void Forget(uint16_t call_id);

  const ControlClientSettings* const settings_;
  wire::pptp::StreamParser parser_;
  pptp::OutputQueue output_;
  std::vector<ControlEffect> effects_;
  // A connection may have 65,535 calls.
  absl::flat_hash_map<uint16_t, Call> calls_;
  absl::flat_hash_map<uint16_t, uint16_t> by_peer_id_;
  std::vector<Wait> waits_;
  size_t first_wait_ = 0;
  State state_ = State::kIdle;
  uint64_t deadline_ms_ = 0;  // kWaitReply, kWaitStopReply
};

}  // namespace culvert::client_role
