// Sessions: the calls that are accounted, from up to end, and when each is due for an Interim. It
// makes the entries of the spool. No thread, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "controlplane/accounting/spool/spool.h"

namespace culvert::accounting {

// Now: the same instant on both clocks. Durations are told by the steady one: the other may jump.
struct Now {
  uint32_t wall_s = 0;  // since 1970
  uint32_t steady_s = 0;
};

struct InterimSettings {
  uint32_t interval_s = 600;     // of calls without their own; 0: none
  uint32_t min_interval_s = 60;  // RFC 2869 s5.16
  uint32_t jitter_percent = 50;  // the first Interim may be so much early
  // How often the counters of a call that has traffic go to disk: what a killed process forgets.
  uint32_t checkpoint_s = 60;
};

class Sessions {
 public:
  // `random_below(n)` is 0 to n - 1.
  Sessions(const InterimSettings& settings, std::function<uint32_t(uint32_t)> random_below);

  // Start: a call is up. Its start is put into `session`. `number` names it in the spool;
  // `interval_s` absent: as configured, 0: no Interims.
  void Start(uint64_t id, uint64_t handle, uint64_t number, v1::Session session,
             std::optional<uint32_t> interval_s, const Now& now, std::vector<Entry>* entries);
  // Change: what is said of the call from now on. Unknown ids are left out, here and below.
  void Change(uint64_t id, v1::Session session, std::optional<uint32_t> interval_s, const Now& now,
              std::vector<Entry>* entries);
  // Count: totals of the call with this handle.
  void Count(uint64_t handle, const Traffic& traffic);
  // End: `traffic` are its last counters, if they were to be had.
  void End(uint64_t id, const Traffic& traffic, TerminateCause cause, const Now& now,
           std::vector<Entry>* entries);
  void EndAll(TerminateCause cause, const Now& now, std::vector<Entry>* entries);
  // Advance makes what is due. To be called about once a second.
  void Advance(const Now& now, std::vector<Entry>* entries);

  // Restore gives what a spool that knows nothing must know of the calls.
  void Restore(std::vector<Entry>* entries) const;
  [[nodiscard]] size_t size() const { return by_id_.size(); }

 private:
  struct Session {
    uint64_t id, handle, number;
    std::string session;
    Traffic traffic;
    uint32_t started_wall_s;
    uint32_t start_s;         // steady, as are the others
    uint32_t interval_s = 0;  // 0: no Interims
    uint32_t interim_s = 0;   // when the next is due
    uint32_t due_s = 0;       // when Advance() is to look at it
    bool unsaved = false;     // the spool knows less traffic
  };
  static constexpr size_t kSlots = 4096;

  [[nodiscard]] uint32_t IntervalOf(std::optional<uint32_t> interval_s) const;
  void Schedule(Session& session, uint32_t now_s);
  void LookAt(Session& session, const Now& now, std::vector<Entry>* entries);
  static Entry StopOf(const Session& session, TerminateCause cause, const Now& now);

  const InterimSettings settings_;
  const std::function<uint32_t(uint32_t)> random_below_;
  std::unordered_map<uint64_t, std::unique_ptr<Session>> by_id_;
  std::unordered_map<uint64_t, Session*> by_handle_;
  // A slot a second, of ids. An id whose session is due in another slot is out of date.
  std::vector<std::vector<uint64_t>> wheel_{kSlots};
  uint32_t advanced_s_ = 0;
};

}  // namespace culvert::accounting
