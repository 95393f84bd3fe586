// Negotiator runs one control protocol (LCP, IPCP or CCP): RFC 1661's automaton with its timer,
// counters, identifiers and checks of replies. Server and client alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ppp/call.h"
#include "controlplane/ppp/negotiation/automaton.h"
#include "controlplane/ppp/options/option_policy.h"
#include "proto/wire/ppp.h"

namespace culvert::ppp {

// NegotiatorOwner is told what happens. It may call back into the same Negotiator: then what
// was left to do for the event that is being handled is dropped.
class NegotiatorOwner {
 public:
  virtual ~NegotiatorOwner() = default;
  virtual void Send(std::vector<uint8_t> frame) = 0;
  // BeforeConfigure: a Configure-Request or -Ack (`code`) is about to be sent.
  virtual void BeforeConfigure(uint16_t protocol, uint8_t code) = 0;
  virtual void OnLayerUp(uint16_t protocol) = 0;
  virtual void OnLayerDown(uint16_t protocol) = 0;
  virtual void OnLayerFinished(uint16_t protocol) = 0;  // reason(): why
  // OnNegotiationFailed: the options cannot be agreed on. The owner ends this protocol.
  virtual void OnNegotiationFailed(uint16_t protocol, const std::string& why) = 0;
  // OnTerminateRequest: after the Terminate-Ack was sent.
  virtual void OnTerminateRequest(uint16_t protocol) = 0;
  // OnExtraPacket: a code from 8 up that this protocol has; echo codes only in Opened.
  virtual void OnExtraPacket(uint16_t protocol, const wire::ppp::ControlPacket& packet) = 0;
  // OnCodeRejected: the peer does not know this code (8 and up); it is not to be sent again.
  virtual void OnCodeRejected(uint16_t protocol, uint8_t code) = 0;
};

class Negotiator {
 public:
  // `last_extra_code` and `first_extra_code`: codes above 7 that the protocol has (0, 0: none).
  // All pointers and `settings` outlive the Negotiator.
  Negotiator(uint16_t protocol, uint8_t first_extra_code, uint8_t last_extra_code,
             OptionPolicy* policy, NegotiatorOwner* owner, const PppSettings& settings,
             PppCounters* counters);
  Negotiator(const Negotiator&) = delete;
  Negotiator& operator=(const Negotiator&) = delete;

  void Up(uint64_t now_ms) { Apply(Event::kUp, now_ms); }
  void Down(uint64_t now_ms) { Apply(Event::kDown, now_ms); }
  void Open(uint64_t now_ms) { Apply(Event::kOpen, now_ms); }
  // Close: `text` goes into the Terminate-Request.
  void Close(std::string_view text, uint64_t now_ms);
  // OnPacket takes the information field of a frame of this protocol.
  void OnPacket(wire::Octets information, uint64_t now_ms);
  // OnProtocolReject: the peer has no such protocol (RXJ-).
  void OnProtocolReject(uint64_t now_ms);
  void OnTimer(uint64_t now_ms);

  [[nodiscard]] std::optional<uint64_t> deadline_ms() const { return deadline_ms_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool opened() const { return state_ == State::kOpened; }
  // reason: why the layer went down or finished, for logs.
  // cause is the same for programs.
  enum class Cause : uint8_t { kNone, kClosed, kPeerTerminated, kPeerSilent, kPeerRejects };
  [[nodiscard]] Cause cause() const { return ending_ != nullptr ? ending_->cause : Cause::kNone; }
  [[nodiscard]] std::string reason() const { return ending_ != nullptr ? ending_->reason : ""; }
  // NextIdentifier gives a new identifier for packets that the owner sends itself.
  uint8_t NextIdentifier() { return ++identifier_; }

 private:
  using Packet = wire::ppp::ControlPacket;
  // PeerRequest: a Configure-Request while it is handled, and the answer to it.
  struct PeerRequest {
    const Packet& packet;
    const Options& options;
    uint8_t verdict = 0;  // the answer's code
    std::vector<uint8_t> verdict_data = {};
  };
  // Ending is there when a layer went down or is to go: most never do.
  struct Ending {
    std::string terminate_text;  // of our Terminate-Request
    Cause cause = Cause::kNone;
    std::string reason;
  };

  void Apply(Event event, uint64_t now_ms, const Packet* packet = nullptr);
  void Perform(Action action, uint64_t now_ms, const Packet* packet);
  void StartAgain();
  void StartTimer(uint64_t now_ms);
  void SendRequest(uint64_t now_ms);
  void SendAck(uint64_t now_ms);
  void SendNakOrReject();
  void SendTerminateRequest(uint64_t now_ms);
  void SendCodeReject(const Packet& packet, uint64_t now_ms);

  void OnConfigureRequest(const Packet& packet, uint64_t now_ms);
  // IsRepeated: the request whose Ack opened the layer, once more: the peer had not seen the Ack
  // when it sent it. To begin again, as RFC 1661 s4.1 has it for any request in Opened, would take
  // down a layer that is all right, and each request of that another one. A peer that has begun
  // again, with the identifier and the options of the last time, gets there when no more are taken
  // for that.
  [[nodiscard]] bool IsRepeated(const Packet& packet, uint64_t now_ms) const;
  static uint32_t HashOf(wire::Octets options);
  [[nodiscard]] bool JudgeRequest(PeerRequest* request);
  void SettleVerdict(wire::ppp::OptionList rejects, wire::ppp::OptionList naks,
                     wire::ppp::OptionList nakked, PeerRequest* request);
  void OnConfigureAck(const Packet& packet, uint64_t now_ms);
  void OnConfigureNakOrReject(const Packet& packet, uint64_t now_ms);
  [[nodiscard]] bool IsAnswer(const Packet& packet) const;
  [[nodiscard]] bool IsInOrder(const Options& options, bool is_reject) const;
  void OnTerminateAck(const Packet& packet, uint64_t now_ms);
  void OnCodeReject(const Packet& packet, uint64_t now_ms);
  void OnOtherCode(const Packet& packet, uint64_t now_ms);
  // CheckFailure tells the owner once when the policy has given up, or a bound is reached.
  [[nodiscard]] bool CheckFailure();
  void SetEnding(Cause cause, std::string reason);

  const uint16_t protocol_;
  const uint8_t first_extra_code_, last_extra_code_;
  OptionPolicy* const policy_;
  NegotiatorOwner* const owner_;
  const PppSettings& settings_;
  PppCounters* const counters_;

  State state_ = State::kInitial;
  uint32_t num_events_ = 0;  // tells an outer Apply() that an inner one has taken over
  std::optional<uint64_t> deadline_ms_;
  uint32_t timeout_ms_ = 0;
  uint32_t restart_count_ = 0;

  uint8_t identifier_ = 0;
  bool request_outstanding_ = false;  // no valid answer yet to our last request
  uint8_t request_identifier_ = 0;
  std::vector<uint8_t> request_;  // its options, until they are answered
  uint8_t acked_identifier_ = 0;  // of the peer's request that was acknowledged last
  uint32_t acked_hash_ = 0;       // of its options
  uint32_t acked_ms_ = 0;         // when, but for IsRepeated(); the low 32 bits
  uint8_t terminate_identifier_ = 0;
  bool terminating_ = false;             // the last str was for the Terminate-Request above
  std::unique_ptr<Ending> ending_;       // null: none
  PeerRequest* peer_request_ = nullptr;  // while one is handled

  uint32_t num_naks_sent_ = 0;     // since our last Ack (Max-Failure, RFC 1661 s4.6)
  uint32_t num_bad_requests_ = 0;  // since our last Ack
  uint32_t num_refusals_ = 0;      // Naks and Rejects received since the last Ack
  uint64_t code_rejects_since_ms_ = 0;
  uint32_t num_code_rejects_ = 0;
  bool failed_ = false;
};

// Readable makes at most 64 octets of a peer's text fit for a log.
[[nodiscard]] std::string Readable(wire::Octets text);

}  // namespace culvert::ppp
