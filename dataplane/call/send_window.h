// SendWindow: how many packets may be on their way to a peer that wants its receive window honoured
// (RFC 2637 s4.2, s4.4). Times are the worker's milliseconds. All zeros at first. Owner: the
// call's worker.
#pragma once

#include <cstdint>

namespace culvert::dataplane {

class SendWindow {
 public:
  static constexpr int64_t kMinTimeOutUs = 12'000;
  static constexpr int64_t kMaxTimeOutUs = 10'000'000;
  static constexpr int64_t kFirstRttUs = 100'000;

  // Set takes the peer's window, at least 1; the number of the next packet tells where to begin.
  // The same window again changes nothing.
  void Set(uint16_t peer_window, uint32_t next_sequence);

  // Reserve asks for room for one packet. `next_sequence` is the number of the call's next packet,
  // `round` what is the same for packets that may not have got their numbers yet.
  bool Reserve(uint32_t next_sequence, uint32_t now_ms, uint32_t round);
  // Keep is for each packet that has got room in an earlier round and has no number yet; it comes
  // before the round's first Reserve.
  void Keep(uint32_t next_sequence, uint32_t round);
  // Acknowledged takes a packet's acknowledgement. What was never sent is ignored.
  void Acknowledged(uint32_t ack, uint32_t next_sequence, uint32_t now_ms);

  [[nodiscard]] uint16_t window() const { return window_; }
  [[nodiscard]] int64_t rtt_us() const { return rtt_us_; }
  [[nodiscard]] int64_t deviation_us() const { return deviation_us_; }
  [[nodiscard]] int64_t TimeOutUs() const;

 private:
  void BeginRound(uint32_t next_sequence, uint32_t round);
  void Sample(int64_t sample_us);
  void TimeOut(uint32_t next_sequence);

  int64_t rtt_us_;
  int64_t deviation_us_;
  uint32_t first_open_;      // lowest number that is not acknowledged
  uint32_t timed_sequence_;  // the one packet whose round trip is being measured
  uint32_t timed_ms_;        // when it left
  uint32_t waiting_ms_;      // since when acknowledgements are missing
  uint32_t round_;
  uint32_t round_sequence_;  // the next packet's when the round began
  uint16_t reserved_;        // in this round; those behind have no number yet
  uint16_t peer_window_;
  uint16_t window_;
  uint16_t grown_;  // packets acknowledged since the window grew
  bool times_;      // timed_sequence_ is valid
};

}  // namespace culvert::dataplane
