// Keepalive decides when to send LCP Echo-Requests and when a silent peer is dead
// (RFC 1661 s5.8). One thread.
#pragma once

#include <cstdint>
#include <optional>

namespace culvert::ppp {

class Keepalive {
 public:
  enum class Step : uint8_t { kNothing, kSendEcho, kDead };

  // `interval_ms` 0: off. The peer is dead after `max_failures` requests without an answer.
  Keepalive(uint32_t interval_ms, uint32_t max_failures)
      : interval_ms_(interval_ms), max_failures_(max_failures) {}

  void Start(uint64_t now_ms) {
    num_unanswered_ = 0;
    if (interval_ms_ != 0) {
      deadline_ms_ = now_ms + interval_ms_;
    }
  }
  void Stop() { deadline_ms_.reset(); }
  // OnHeard: any frame of the peer shows that it lives.
  void OnHeard() { num_unanswered_ = 0; }

  [[nodiscard]] Step OnTimer(uint64_t now_ms) {
    if (!deadline_ms_ || now_ms < *deadline_ms_) {
      return Step::kNothing;
    }
    if (num_unanswered_ >= max_failures_) {
      Stop();
      return Step::kDead;
    }
    ++num_unanswered_;
    deadline_ms_ = now_ms + interval_ms_;
    return Step::kSendEcho;
  }
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const { return deadline_ms_; }

 private:
  const uint32_t interval_ms_, max_failures_;
  uint32_t num_unanswered_ = 0;
  std::optional<uint64_t> deadline_ms_;
};

}  // namespace culvert::ppp
