// ControlConnection: one PPTP control connection that a peer opened to us (RFC 2637 s3.1), without
// socket, clock or thread. To VPN clients it is the PAC of their outgoing calls (s3.2.2), to
// dial-in PACs the PNS of the incoming calls they offer (s3.2.4). Inputs are On...() and the call
// functions; outputs are effects and octets to write, which the caller takes after every input.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "controlplane/pptp/call_list.h"
#include "controlplane/pptp/control_settings.h"
#include "controlplane/pptp/output_queue.h"
#include "proto/wire/cursor.h"
#include "proto/wire/pptp.h"

namespace culvert::pptp {

// ControlGate decides for a connection what depends on others.
class ControlGate {
 public:
  virtual ~ControlGate() = default;
  // JudgeStart: the peer has sent a Start-Control-Connection-Request that is right. Once.
  virtual StartVerdict JudgeStart() = 0;
  // AllocateCallId gives a Call ID that no other call to this local address has; not 0.
  virtual tl::expected<uint16_t, Refusal> AllocateCallId() = 0;
};

class ControlConnection {
 public:
  // `gate` and `counters` outlive the connection. `echo_jitter_permille` (900-1100) scales the
  // echo interval, so that many connections do not ask at once.
  ControlConnection(std::shared_ptr<const ControlSettings> settings, ControlGate* gate,
                    ControlCounters* counters, uint32_t echo_jitter_permille, uint64_t now_ms);

  // OnOctets takes what was read, however TCP cut it.
  void OnOctets(wire::Octets in, uint64_t now_ms);
  // OnPeerClosed: FIN, RST or any error of the socket.
  void OnPeerClosed(std::string_view reason);
  void OnTimer(uint64_t now_ms);

  // AcceptCall sends the reply with result 1. False: the call is gone already.
  bool AcceptCall(uint16_t call_id, uint64_t now_ms);
  void RefuseCall(uint16_t call_id, Refusal refusal, uint64_t now_ms);
  // DisconnectCall tells the peer and ends the call for the caller; does nothing when it is gone.
  // An outgoing call gets Call-Disconnect-Notify with `result` and `statistics`, an incoming one
  // Call-Clear-Request.
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
  // peer_host_name: as its Start-Control-Connection-Request has it: any octets, mostly none.
  [[nodiscard]] const std::string& peer_host_name() const { return peer_host_name_; }

 private:
  // kFlush: nothing more is read; closed when the output is written or time is over.
  enum class State : uint8_t { kIdle, kEstablished, kWaitStopReply, kFlush, kClosed };

  bool alive() const { return state_ != State::kFlush && state_ != State::kClosed; }
  void Send(const wire::pptp::Message& message);
  void OnMessage(const wire::pptp::Message& message, uint64_t now_ms);
  void OnParseError(wire::pptp::Error error);
  void OnStartRequest(const wire::pptp::StartRequest& request, uint64_t now_ms);
  void RefuseStart(uint8_t result, uint8_t error, std::string_view reason, uint64_t now_ms);
  void OnStopRequest(uint64_t now_ms);
  void SendStartReply(uint8_t result, uint8_t error);
  void LoseCalls(std::string_view reason);
  void FlushAndClose(std::string_view reason, uint64_t now_ms);
  void Close(std::string_view reason);

  // control_calls.cc: messages about calls.
  void OnCallMessage(const wire::pptp::Message& message, uint64_t now_ms);
  void OnOutgoingCallRequest(const wire::pptp::OutgoingCallRequest& request);
  void OnIncomingCallRequest(const wire::pptp::IncomingCallRequest& request);
  void OnIncomingCallConnected(const wire::pptp::IncomingCallConnected& connected);
  void OnCallClearRequest(const wire::pptp::CallClearRequest& request);
  void OnCallDisconnectNotify(const wire::pptp::CallDisconnectNotify& notify, uint64_t now_ms);
  void OnWanErrorNotify(const wire::pptp::WanErrorNotify& notify);
  void OnSetLinkInfo(const wire::pptp::SetLinkInfo& info);
  // Admit gives a Call ID for a call that the peer wants, or sends a refusal.
  [[nodiscard]] std::optional<uint16_t> Admit(uint16_t peer_call_id, bool incoming);
  void SendRefusal(uint16_t peer_call_id, bool incoming, Refusal refusal);
  void SendOutgoingReply(uint16_t call_id, uint16_t peer_call_id, uint8_t result, uint8_t error);
  void SendIncomingReply(uint16_t call_id, uint16_t peer_call_id, uint8_t result, uint8_t error);
  void Forget(uint16_t call_id, uint64_t idle_ms, uint64_t now_ms);

  std::shared_ptr<const ControlSettings> settings_;
  ControlGate* const gate_;
  ControlCounters* const counters_;
  uint64_t echo_interval_ms_;
  wire::pptp::StreamParser parser_;
  OutputQueue output_;
  std::vector<Effect> effects_;
  CallList calls_;
  State state_ = State::kIdle;
  std::string close_reason_;
  std::string peer_host_name_;
  uint64_t state_deadline_ms_;        // kIdle, kWaitStopReply, kFlush
  uint64_t silence_deadline_ms_ = 0;  // kEstablished
  uint64_t idle_deadline_ms_ = 0;     // kEstablished and no call
  bool echo_outstanding_ = false;
  uint32_t echo_identifier_ = 0;
};

}  // namespace culvert::pptp
