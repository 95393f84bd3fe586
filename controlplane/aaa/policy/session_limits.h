// SessionLimits counts the sessions of each user, and decides about one more: let in, refused, or
// let in when an older one has ended for it. Two logins at once end with as many sessions as are
// allowed, never more, not even for a moment. Any thread; O(sessions of the user).
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "controlplane/aaa/policy/session_ticket.h"

namespace culvert {

class SessionLimits {
 public:
  // End asks calls to end at once and comes back; called by any thread, without a lock.
  using End = std::function<void(std::vector<uint64_t> calls)>;
  // `fold_case`: names that differ in the case of ASCII letters only are one user.
  SessionLimits(uint64_t seed, bool fold_case, End end);

  struct Rule {
    uint32_t max = 1;      // at least 1
    bool replace = false;  // the oldest goes; else the new one is refused
  };
  enum class Entry : uint8_t { kIn, kRefused, kWaits };
  // Entered: the place is free (true), or a newer login has taken it (false). Called by whoever
  // makes room, once.
  using Entered = std::function<void(bool in)>;

  // Enter takes a place for `call`. With kIn and kWaits `ticket` is to be given back, unless
  // `entered` says false.
  [[nodiscard]] Entry Enter(std::string_view user, uint64_t call, Rule rule, Entered entered,
                            SessionTicket* ticket);
  void Leave(const SessionTicket& ticket);

  // Abandon drops those who wait; nobody is told.
  void Abandon();

  struct Counters {
    uint64_t users = 0;  // that have sessions
    uint64_t refused = 0, replaced = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Session {
    uint64_t call = 0;
    uint32_t max = 1;      // of the rule by which it waits
    bool leaving = false;  // has been asked to end
    Entered entered;       // empty: is in
  };
  using Sessions = std::vector<Session>;  // oldest first
  struct Part {
    mutable absl::Mutex mutex;
    absl::flat_hash_map<uint64_t, Sessions> users ABSL_GUARDED_BY(mutex);
  };
  static constexpr size_t kParts = 64;

  // Replace makes room for one more among `max`.
  void Replace(Sessions& sessions, uint32_t max, std::vector<uint64_t>& ended,
               std::vector<Entered>& displaced);
  [[nodiscard]] uint64_t KeyOf(std::string_view user) const;
  Part& PartOf(uint64_t key) { return parts_[(key >> 32) % kParts]; }

  const uint64_t seed_;
  const bool fold_case_;
  const End end_;
  std::array<Part, kParts> parts_;
  std::atomic<uint64_t> num_refused_{0}, num_replaced_{0};
};

}  // namespace culvert
