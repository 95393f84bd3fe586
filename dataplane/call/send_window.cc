#include "dataplane/call/send_window.h"

#include <algorithm>
#include <cstdlib>

#include "proto/wire/gre.h"

namespace culvert::dataplane {

using wire::gre::SequenceAfter;

void SendWindow::Set(uint16_t peer_window, uint32_t next_sequence) {
  if (peer_window == peer_window_) {
    return;
  }
  *this = {};
  peer_window_ = peer_window;
  window_ = std::max<uint16_t>(1, peer_window / 2);
  rtt_us_ = kFirstRttUs;
  first_open_ = next_sequence;
}

int64_t SendWindow::TimeOutUs() const {
  constexpr int64_t kChi = 4;
  return std::clamp(rtt_us_ + kChi * deviation_us_, kMinTimeOutUs, kMaxTimeOutUs);
}

// s4.4 with alpha 1/8 and beta 1/4.
void SendWindow::Sample(int64_t sample_us) {
  const int64_t difference = sample_us - rtt_us_;
  deviation_us_ += (std::abs(difference) - deviation_us_) / 4;
  rtt_us_ += difference / 8;
}

// s4.4: the window is halved, nothing is sent again, and what is missing no longer counts.
void SendWindow::TimeOut(uint32_t next_sequence) {
  constexpr int64_t kDelta = 2;
  rtt_us_ = std::min(rtt_us_ * kDelta, kMaxTimeOutUs);
  window_ = static_cast<uint16_t>((window_ + 1) / 2);
  first_open_ = next_sequence;
  grown_ = 0;
  times_ = false;
}

void SendWindow::BeginRound(uint32_t next_sequence, uint32_t round) {
  if (round_ != round) {
    round_ = round;
    round_sequence_ = next_sequence;
    reserved_ = 0;
  }
}

void SendWindow::Keep(uint32_t next_sequence, uint32_t round) {
  BeginRound(next_sequence, round);
  ++reserved_;
}

bool SendWindow::Reserve(uint32_t next_sequence, uint32_t now_ms, uint32_t round) {
  BeginRound(next_sequence, round);
  const uint32_t numbered = next_sequence - round_sequence_;
  const uint32_t pending = reserved_ > numbered ? reserved_ - numbered : 0;
  uint32_t open = next_sequence - first_open_;
  if (open + pending == 0) {
    waiting_ms_ = now_ms;
  }
  if (open > 0 && int64_t{now_ms - waiting_ms_} * 1000 >= TimeOutUs()) {
    TimeOut(next_sequence);
    waiting_ms_ = now_ms;
    open = 0;
  }
  if (open + pending >= window_) {
    return false;
  }
  if (!times_) {
    times_ = true;
    timed_sequence_ = next_sequence + pending;
    timed_ms_ = now_ms;
  }
  ++reserved_;
  return true;
}

void SendWindow::Acknowledged(uint32_t ack, uint32_t next_sequence, uint32_t now_ms) {
  if (!SequenceAfter(next_sequence, ack) || SequenceAfter(first_open_, ack)) {
    return;
  }
  const uint32_t num = ack + 1 - first_open_;
  first_open_ = ack + 1;
  waiting_ms_ = now_ms;
  if (times_ && !SequenceAfter(timed_sequence_, ack)) {
    times_ = false;
    Sample(int64_t{now_ms - timed_ms_} * 1000);
  }
  // A whole window without a time-out: one packet more.
  const uint32_t grown = grown_ + num;
  if (grown < window_) {
    grown_ = static_cast<uint16_t>(grown);
    return;
  }
  grown_ = 0;
  window_ = std::min<uint16_t>(peer_window_, static_cast<uint16_t>(window_ + 1));
}

}  // namespace culvert::dataplane
