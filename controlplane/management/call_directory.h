// CallDirectory: all live calls as operators see them. Shards publish, the management API and
// the metrics read, watchers get every change. Any thread; a publisher never waits for a reader
// for longer than one of the directory's parts is copied.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "controlplane/management/call_index.h"
#include "controlplane/management/call_record.h"
#include "controlplane/management/call_watch.h"
#include "culvert/dataplane/v1/dataplane.pb.h"
#include "culvert/management/v1/management.pb.h"

namespace culvert {

class CallDirectory {
 public:
  using EventKind = management::v1::CallEvent::Kind;
  // Clock: milliseconds since 1970.
  using Clock = std::function<int64_t()>;

  CallDirectory();  // with the system's clock
  explicit CallDirectory(Clock clock);
  ~CallDirectory();
  CallDirectory(const CallDirectory&) = delete;
  CallDirectory& operator=(const CallDirectory&) = delete;

  // Publish: STARTED, AUTHENTICATED and UP insert the call or replace what is known of it; DOWN
  // removes it. Watchers are told. Calls with one id must be published by one thread.
  void Publish(EventKind kind, CallRecord record);
  // Update replaces what is known of a call that is there, without an event (its phase, handle).
  void Update(CallRecord record);

  // OnCounters takes the calls of a message of the data plane's counter rounds, by handle; rates
  // are over the time since the last one of the same call. One thread.
  void OnCounters(const dataplane::v1::CountersResponse& round);

  [[nodiscard]] std::optional<management::v1::Call> Get(uint64_t id) const;
  // HandleOf: the data plane's handle of a call; 0: there is none.
  [[nodiscard]] uint64_t HandleOf(uint64_t id) const;
  // List: matching calls, ordered by id. This and MatchingIds() scan all calls only when the
  // filter has nothing but local_address and called_number.
  [[nodiscard]] std::vector<management::v1::Call> List(const CallFilter& filter) const;
  // MatchingIds is List without the calls.
  [[nodiscard]] std::vector<uint64_t> MatchingIds(const CallFilter& filter) const;
  [[nodiscard]] size_t size() const;
  // CountByPhase: index is ppp::Phase.
  static constexpr size_t kPhases = 6;
  [[nodiscard]] std::array<size_t, kPhases> CountByPhase() const;

  // Subscribe answers the calls that are there and a queue of what changes from then on: no
  // change is missed. nullptr: there are kMaxWatches already.
  struct Subscription {
    std::vector<management::v1::Call> snapshot;
    std::shared_ptr<CallWatch> watch;  // forgotten by the directory when the last owner lets go
  };
  static constexpr size_t kMaxWatches = 64;
  [[nodiscard]] std::optional<Subscription> Subscribe(const CallFilter& filter);
  // CloseWatches ends all subscriptions, and those to come, for good.
  void CloseWatches();

 private:
  struct Entry {
    CallRecord record;
    CallTraffic traffic;
    int64_t counted_ms = 0;  // time of the last round that had the call
  };
  // A part has its own lock, so that a reader holds up few publishers and those briefly.
  struct alignas(64) Part {
    mutable std::mutex mutex;
    std::unordered_map<uint64_t, Entry> calls;  // by id
    std::vector<std::weak_ptr<CallWatch>> watches;
  };
  static constexpr size_t kPartsOfHome = 4;
  static constexpr size_t kParts = kNumHomes * kPartsOfHome;
  // Handles are spread by their Call ID, so that they too stay with their shard.
  struct alignas(64) Handles {
    std::mutex mutex;  // taken inside a part's, never around it
    absl::flat_hash_map<uint64_t, uint64_t> ids;
  };

  [[nodiscard]] Part& PartOf(uint64_t id) const;
  // ReplaceHandle: the call `id` had the handle `before` and has `now`; 0: none.
  void ReplaceHandle(uint64_t before, uint64_t now, uint64_t id);
  void CountCall(uint64_t id, const dataplane::v1::CallCounters& counters, int64_t now_ms);
  void Notify(Part& part, EventKind kind, const Entry& entry);
  template <typename Visit>
  void VisitOne(uint64_t id, const CallFilter& filter, const Visit& visit) const;
  template <typename Visit>
  void ForEach(const CallFilter& filter, Visit visit) const;

  const Clock clock_;
  mutable std::array<Part, kParts> parts_;
  CallIndex index_;  // its locks are taken inside a part's, never around it
  std::array<Handles, kNumHomes> handles_;
  std::mutex watches_mutex_;
  std::vector<std::weak_ptr<CallWatch>> watches_;
  bool closed_ = false;
};

}  // namespace culvert
