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
#include <utility>

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
  Alarm(asio::io_context& loop, std::function<void()> ring) : loop_(loop), ring_(std::move(ring)) {}
  ~Alarm() {
    if (state_ != nullptr) {
      state_->owner = nullptr;
      state_->timer.cancel();
    }
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Set moves the deadline; nullopt: never.
  void Set(std::optional<uint64_t> deadline_ms) {
    if (state_ == nullptr) {
      if (!deadline_ms) {
        return;
      }
      state_ = std::make_shared<State>(loop_, this);
    }
    state_->deadline = deadline_ms;
    if (deadline_ms && (!state_->armed || *deadline_ms < *state_->armed)) {
      Arm(state_);
    }
  }

 private:
  // State is there while a deadline is or the timer runs: most calls that are up have none.
  struct State {
    State(asio::io_context& loop, Alarm* owner_in) : timer(loop), owner(owner_in) {}
    asio::steady_timer timer;
    Alarm* owner;                      // null: it has gone
    std::optional<uint64_t> deadline;  // what was asked for
    std::optional<uint64_t> armed;     // when the timer fires; not later than `deadline`
  };

  static void Arm(const std::shared_ptr<State>& state) {
    state->armed = state->deadline;
    state->timer.expires_at(
        std::chrono::steady_clock::time_point(std::chrono::milliseconds(*state->armed)));
    state->timer.async_wait([weak = std::weak_ptr<State>(state)](const asio::error_code& error) {
      const std::shared_ptr<State> alive = weak.lock();
      if (error || alive == nullptr || alive->owner == nullptr) {
        return;  // armed anew, or gone
      }
      OnTimer(alive);
    });
  }

  static void OnTimer(const std::shared_ptr<State>& state) {
    state->armed.reset();
    if (state->deadline && SteadyMs() < *state->deadline) {
      return Arm(state);
    }
    if (std::exchange(state->deadline, std::nullopt)) {
      const std::function<void()> ring = state->owner->ring_;  // the Alarm may go meanwhile
      ring();
    }
    if (state->owner != nullptr && !state->deadline && !state->armed) {
      state->owner->state_.reset();
    }
  }

  asio::io_context& loop_;
  const std::function<void()> ring_;
  std::shared_ptr<State> state_;
};

}  // namespace culvert
