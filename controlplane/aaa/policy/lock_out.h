// LockOut keeps those out who guess passwords: after so many failures a user from one address, an
// address, or a user is not judged for a while. It stands before the backends and knows nothing of
// which users there are. Who has logged in from an address before is not kept out there by what
// strangers do elsewhere. Any thread; O(1), bounded memory.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "controlplane/aaa/policy/failure_table.h"

namespace culvert {

class LockOut {
 public:
  // Kind: what is locked. kPair: a user from one address.
  enum class Kind : uint8_t { kPair, kSource, kUser };
  static constexpr size_t kKinds = 3;

  struct Settings {
    std::array<uint32_t, kKinds> max_failures = {};  // by Kind; 0: never
    uint64_t window_ms = 0, duration_ms = 0;
    size_t capacity = 0;  // entries of each kind
  };
  // `seed` keeps strangers from choosing what their names displace.
  LockOut(const Settings& settings, uint64_t seed);

  // Reconfigure: locks that are on stay on. The capacity is that of the start.
  void Reconfigure(const Settings& settings);

  // Locked: whether this one is not to be judged now. `user` as the client sent it, `source` in
  // host order.
  [[nodiscard]] bool Locked(std::string_view user, uint32_t source, uint64_t now_ms);
  void OnFailure(std::string_view user, uint32_t source, uint64_t now_ms);
  void OnSuccess(std::string_view user, uint32_t source, uint64_t now_ms);

  struct Counters {
    std::array<uint64_t, kKinds> locks = {};    // that were put on
    std::array<uint64_t, kKinds> refused = {};  // attempts that were not judged
    std::array<uint64_t, kKinds> locked = {};   // now
  };
  [[nodiscard]] Counters counters(uint64_t now_ms) const;

 private:
  using Keys = std::array<uint64_t, kKinds>;
  [[nodiscard]] Keys KeysOf(std::string_view user, uint32_t source) const;

  const uint64_t seed_;
  mutable absl::Mutex mutex_;
  Settings settings_ ABSL_GUARDED_BY(mutex_);
  std::array<FailureTable, kKinds> tables_ ABSL_GUARDED_BY(mutex_);
  // Pairs that have logged in: a lock that keeps nobody out, for 90 days or until others take
  // its place.
  FailureTable welcome_ ABSL_GUARDED_BY(mutex_);
  Counters counters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert
