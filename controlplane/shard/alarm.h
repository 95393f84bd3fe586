// Alarm calls back at a deadline that moves often: moving it to later costs nothing, the timer
// finds out when it fires. Of one loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace culvert {

// SteadyMs is the clock of all deadlines: milliseconds of the steady clock.
inline uint64_t SteadyMs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

class Alarm {
 public:
  // `ring` is never called after the Alarm has gone; it may destroy the Alarm.
  Alarm(asio::io_context& loop, std::function<void()> ring)
      : state_(std::make_shared<State>(loop, std::move(ring))) {}
  ~Alarm() {
    state_->deadline.reset();
    state_->timer.cancel();
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Set moves the deadline; nullopt: never.
  void Set(std::optional<uint64_t> deadline_ms) {
    state_->deadline = deadline_ms;
    if (deadline_ms && (!state_->armed || *deadline_ms < *state_->armed)) {
      Arm(state_);
    }
  }

 private:
  struct State {
    State(asio::io_context& loop, std::function<void()> ring_in)
        : timer(loop), ring(std::move(ring_in)) {}
    asio::steady_timer timer;
    std::function<void()> ring;
    std::optional<uint64_t> deadline;  // what was asked for
    std::optional<uint64_t> armed;     // when the timer fires; not later than `deadline`
  };

  static void Arm(const std::shared_ptr<State>& state) {
    state->armed = state->deadline;
    state->timer.expires_at(
        std::chrono::steady_clock::time_point(std::chrono::milliseconds(*state->armed)));
    state->timer.async_wait([weak = std::weak_ptr<State>(state)](const asio::error_code& error) {
      std::shared_ptr<State> alive = weak.lock();
      if (error || alive == nullptr) {
        return;  // armed anew, or gone
      }
      alive->armed.reset();
      if (!alive->deadline) {
        return;
      }
      if (SteadyMs() < *alive->deadline) {
        return Arm(alive);
      }
      alive->deadline.reset();
      alive->ring();
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace culvert
