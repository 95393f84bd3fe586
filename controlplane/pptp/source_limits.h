// SourceLimits: how many control connections, connections without a Start yet, and calls a second
// one source may have, and how many connections all may. A source is a prefix of client addresses.
// What it remembers is bounded: sources with a connection, and so many whose call rate has not been
// forgotten yet. Any thread.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

namespace culvert::pptp {

class SourceLimits {
 public:
  struct Settings {
    unsigned prefix_len = 32;    // of the addresses that are one source, 8-32
    size_t max_connections = 0;  // 0 here and below: no limit
    size_t max_half_open = 0;
    size_t max_total = 0;  // connections of all sources together
    uint32_t calls_per_s = 0;
    uint32_t call_burst = 1;         // calls at once before the rate is held to; at least 1
    size_t max_remembered = 65'536;  // sources without a connection
  };
  enum class Verdict : uint8_t { kAdmit, kTooMany, kTooManyConnections, kTooManyHalfOpen };

  explicit SourceLimits(const Settings& settings)
      : prefix_len_(settings.prefix_len), settings_(settings) {}

  // Reconfigure: connections that are there stay. The prefix length and `max_total` are those
  // of the start.
  void Reconfigure(const Settings& settings);

  // Connect counts a new connection when it may be. It is half-open until Start(). Addresses are
  // in host order.
  [[nodiscard]] Verdict Connect(uint32_t address);
  void Start(uint32_t address);
  // Disconnect takes an admitted connection back.
  void Disconnect(uint32_t address, bool half_open, uint64_t now_ms);
  // TakeCall: false when the source asks for calls too quickly. Needs a connection.
  [[nodiscard]] bool TakeCall(uint32_t address, uint64_t now_ms);

  [[nodiscard]] size_t num_sources() const;

 private:
  struct Source {
    uint32_t num_connections = 0;
    uint32_t num_half_open = 0;
    uint64_t next_call_us = 0;  // when the bucket is full again (GCRA's theoretical arrival time)
  };
  struct Rest {
    uint32_t prefix;
    uint64_t until_us;
  };

  [[nodiscard]] uint32_t PrefixOf(uint32_t address) const;
  void ForgetRested(uint64_t now_us) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // ForgetOldest: `now_us` is when debts of sources are over; UINT64_MAX: they do not matter.
  void ForgetOldest(uint64_t now_us) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const unsigned prefix_len_;
  mutable absl::Mutex mutex_;
  Settings settings_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<uint32_t, Source> sources_ ABSL_GUARDED_BY(mutex_);
  size_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Rest> resting_ ABSL_GUARDED_BY(mutex_);  // in the order they came to rest
};

}  // namespace culvert::pptp
