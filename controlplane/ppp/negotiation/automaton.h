// The option negotiation automaton of RFC 1661 s4.1, as one table; LCP, IPCP and CCP use it.
// It says what to do and where to go; doing it is the Negotiator's part.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace culvert::ppp {

// State: RFC 1661 s4.2, in its numbering.
enum class State : uint8_t {
  kInitial,
  kStarting,
  kClosed,
  kStopped,
  kClosing,
  kStopping,
  kReqSent,
  kAckRcvd,
  kAckSent,
  kOpened,
};
constexpr size_t kNumStates = 10;

// Event: RFC 1661 s4.3.
enum class Event : uint8_t {
  kUp,
  kDown,
  kOpen,
  kClose,
  kTimeoutRetry,      // TO+: the restart counter is above zero
  kTimeoutLast,       // TO-: it is used up
  kRequestGood,       // RCR+
  kRequestBad,        // RCR-
  kAck,               // RCA
  kNakOrReject,       // RCN
  kTerminateRequest,  // RTR
  kTerminateAck,      // RTA
  kUnknownCode,       // RUC
  kRejectHarmless,    // RXJ+
  kRejectFatal,       // RXJ-
  kEcho,              // RXR: Echo-Request, Echo-Reply, Discard-Request
};
constexpr size_t kNumEvents = 16;

// Action: RFC 1661 s4.4, by its three letters.
enum class Action : uint8_t {
  kNone,
  kTlu,  // this layer up
  kTld,  // this layer down
  kTls,  // this layer started
  kTlf,  // this layer finished
  kIrc,  // initialize restart count
  kZrc,  // zero restart count
  kScr,  // send Configure-Request
  kSca,  // send Configure-Ack
  kScn,  // send Configure-Nak or -Reject
  kStr,  // send Terminate-Request
  kSta,  // send Terminate-Ack
  kScj,  // send Code-Reject
  kSer,  // send Echo-Reply
};

struct Transition {
  bool possible = false;  // false: the event cannot happen in this state and is to be ignored
  State next = State::kInitial;
  std::array<Action, 3> actions{};  // in order; kNone at the end
};

// Lookup gives the table's cell.
[[nodiscard]] const Transition& Lookup(State state, Event event);

// TimerRuns: in this state the restart timer runs (RFC 1661 s4.1).
[[nodiscard]] constexpr bool TimerRuns(State state) {
  return state >= State::kClosing && state <= State::kAckSent;
}

[[nodiscard]] std::string_view Name(State state);

}  // namespace culvert::ppp
