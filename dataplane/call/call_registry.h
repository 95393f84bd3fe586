// CallRegistry: the control side's view of the calls: who exists, what was asked for, which worker
// has it. It checks requests before a worker sees them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "dataplane/call/call_table.h"
#include "dataplane/call/worker_choice.h"
#include "dataplane/datapath.h"
#include "dataplane/forwarding/route_book.h"
#include "dataplane/worker/command.h"

namespace culvert::dataplane {

// Thread-safe.
class CallRegistry {
 public:
  // Execute has a worker carry out a command and returns when it has.
  using Execute = std::function<void(unsigned worker, Command* command)>;

  // Borrows the table and the routes. `outer_mtu`: the smallest of the ports'.
  CallRegistry(CallTable* table, RouteBook* routes, unsigned num_workers, uint16_t outer_mtu,
               Execute execute);

  absl::StatusOr<uint64_t> Upsert(const CallSpec& spec);
  absl::StatusOr<CallTotals> Remove(uint64_t handle);
  [[nodiscard]] std::vector<CallEntry> List();
  [[nodiscard]] std::vector<std::pair<uint64_t, CallTotals>> Counters();
  // WorkerOf gives NOT_FOUND for a stale handle.
  [[nodiscard]] absl::StatusOr<unsigned> WorkerOf(uint64_t handle);

 private:
  struct Entry {
    CallSpec spec;  // keys zeroed
    unsigned worker = 0;
  };

  absl::Status Check(const CallSpec& spec) const;
  absl::StatusOr<uint32_t> SlotFor(uint32_t local_address);
  absl::StatusOr<uint64_t> Insert(const CallSpec& spec);
  absl::StatusOr<uint64_t> Change(Entry* entry, CallSpec spec);
  void SendProgram(const Entry& entry, const CallSpec& spec);

  CallTable* table_;
  RouteBook* routes_;
  uint16_t outer_mtu_;
  Execute execute_;
  std::mutex mutex_;
  WorkerChoice choice_;
  uint32_t last_generation_;
  absl::flat_hash_map<uint32_t, Entry> calls_;  // by table index
  uint32_t num_calls_of_slot_[kMaxLocalAddresses] = {};
};

}  // namespace culvert::dataplane
