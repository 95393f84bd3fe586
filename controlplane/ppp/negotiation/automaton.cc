#include "controlplane/ppp/negotiation/automaton.h"

namespace culvert::ppp {
namespace {

using enum Action;

constexpr Transition To(State next, Action a = kNone, Action b = kNone, Action c = kNone) {
  return {.possible = true, .next = next, .actions = {a, b, c}};
}
constexpr Transition kNever{};

constexpr State kI = State::kInitial;
constexpr State kS = State::kStarting;
constexpr State kC = State::kClosed;
constexpr State kP = State::kStopped;
constexpr State kCg = State::kClosing;
constexpr State kPg = State::kStopping;
constexpr State kRq = State::kReqSent;
constexpr State kAr = State::kAckRcvd;
constexpr State kAs = State::kAckSent;
constexpr State kO = State::kOpened;

// RFC 1661 s4.1, transposed as there: a row is an event, the columns are Initial, Starting,
// Closed, Stopped, Closing, Stopping / Req-Sent, Ack-Rcvd, Ack-Sent, Opened. Neither the
// passive nor the restart option is used.
// clang-format off
constexpr std::array<std::array<Transition, kNumStates>, kNumEvents> kTable = {{
    // Up
    {To(kC), To(kRq, kIrc, kScr), kNever, kNever, kNever, kNever,
     kNever, kNever, kNever, kNever},
    // Down
    {kNever, kNever, To(kI), To(kS, kTls), To(kI), To(kS),
     To(kS), To(kS), To(kS), To(kS, kTld)},
    // Open
    {To(kS, kTls), To(kS), To(kRq, kIrc, kScr), To(kP), To(kPg), To(kPg),
     To(kRq), To(kAr), To(kAs), To(kO)},
    // Close
    {To(kI), To(kI, kTlf), To(kC), To(kC), To(kCg), To(kCg),
     To(kCg, kIrc, kStr), To(kCg, kIrc, kStr), To(kCg, kIrc, kStr), To(kCg, kTld, kIrc, kStr)},
    // TO+
    {kNever, kNever, kNever, kNever, To(kCg, kStr), To(kPg, kStr),
     To(kRq, kScr), To(kRq, kScr), To(kAs, kScr), kNever},
    // TO-
    {kNever, kNever, kNever, kNever, To(kC, kTlf), To(kP, kTlf),
     To(kP, kTlf), To(kP, kTlf), To(kP, kTlf), kNever},
    // RCR+
    {kNever, kNever, To(kC, kSta), To(kAs, kIrc, kScr, kSca), To(kCg), To(kPg),
     To(kAs, kSca), To(kO, kSca, kTlu), To(kAs, kSca), To(kAs, kTld, kScr, kSca)},
    // RCR-
    {kNever, kNever, To(kC, kSta), To(kRq, kIrc, kScr, kScn), To(kCg), To(kPg),
     To(kRq, kScn), To(kAr, kScn), To(kRq, kScn), To(kRq, kTld, kScr, kScn)},
    // RCA
    {kNever, kNever, To(kC, kSta), To(kP, kSta), To(kCg), To(kPg),
     To(kAr, kIrc), To(kRq, kScr), To(kO, kIrc, kTlu), To(kRq, kTld, kScr)},
    // RCN
    {kNever, kNever, To(kC, kSta), To(kP, kSta), To(kCg), To(kPg),
     To(kRq, kIrc, kScr), To(kRq, kScr), To(kAs, kIrc, kScr), To(kRq, kTld, kScr)},
    // RTR
    {kNever, kNever, To(kC, kSta), To(kP, kSta), To(kCg, kSta), To(kPg, kSta),
     To(kRq, kSta), To(kRq, kSta), To(kRq, kSta), To(kPg, kTld, kZrc, kSta)},
    // RTA
    {kNever, kNever, To(kC), To(kP), To(kC, kTlf), To(kP, kTlf),
     To(kRq), To(kRq), To(kAs), To(kRq, kTld, kScr)},
    // RUC
    {kNever, kNever, To(kC, kScj), To(kP, kScj), To(kCg, kScj), To(kPg, kScj),
     To(kRq, kScj), To(kAr, kScj), To(kAs, kScj), To(kO, kScj)},
    // RXJ+
    {kNever, kNever, To(kC), To(kP), To(kCg), To(kPg),
     To(kRq), To(kRq), To(kAs), To(kO)},
    // RXJ-
    {kNever, kNever, To(kC, kTlf), To(kP, kTlf), To(kC, kTlf), To(kP, kTlf),
     To(kP, kTlf), To(kP, kTlf), To(kP, kTlf), To(kPg, kTld, kIrc, kStr)},
    // RXR
    {kNever, kNever, To(kC), To(kP), To(kCg), To(kPg),
     To(kRq), To(kAr), To(kAs), To(kO, kSer)},
}};
// clang-format on

}  // namespace

const Transition& Lookup(State state, Event event) {
  return kTable[static_cast<size_t>(event)][static_cast<size_t>(state)];
}

std::string_view Name(State state) {
  constexpr std::array<std::string_view, kNumStates> kNames = {
      "Initial",  "Starting", "Closed",   "Stopped",  "Closing",
      "Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent", "Opened"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace culvert::ppp
