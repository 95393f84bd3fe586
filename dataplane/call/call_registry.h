// CallRegistry: the control side's view of the calls: who exists, what was asked for, which worker
// has it. It checks requests before a worker sees them.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "dataplane/call/call_row.h"
#include "dataplane/call/call_table.h"
#include "dataplane/call/worker_choice.h"
#include "dataplane/datapath.h"
#include "dataplane/filter/filter_table.h"
#include "dataplane/forwarding/route_book.h"
#include "dataplane/worker/command.h"

namespace culvert::dataplane {

// Thread-safe.
class CallRegistry {
 public:
  // Execute has a worker carry out a command and returns when it has.
  using Execute = std::function<void(unsigned worker, Command* command)>;

  // Borrows all five. `outer_mtu`: the smallest of the ports'.
  CallRegistry(DatapathRole role, CallTable* table, RouteBook* routes, Ipv6RouteBook* ipv6_routes,
               CallPrefixTable* prefixes, FilterTable* filters, unsigned num_workers,
               uint16_t outer_mtu, Execute execute);
  ~CallRegistry();
  CallRegistry(const CallRegistry&) = delete;
  CallRegistry& operator=(const CallRegistry&) = delete;

  absl::StatusOr<uint64_t> Upsert(const CallSpec& spec);
  absl::StatusOr<CallTotals> Remove(uint64_t handle);
  [[nodiscard]] std::vector<CallEntry> List();
  [[nodiscard]] std::vector<std::pair<uint64_t, CallTotals>> Counters();
  // WorkerOf gives NOT_FOUND for a stale handle.
  [[nodiscard]] absl::StatusOr<unsigned> WorkerOf(uint64_t handle);

 private:
  absl::Status Check(const CallSpec& spec) const;
  // Which address has its calls in a slot of their own; which one routes get to know.
  [[nodiscard]] uint32_t SlotAddress(const CallSpec& spec) const {
    return is_client_ ? spec.peer_address : spec.local_address;
  }
  [[nodiscard]] uint32_t Routed(uint32_t client_address) const {
    return is_client_ ? 0 : client_address;
  }
  absl::StatusOr<uint32_t> SlotFor(uint32_t local_address);
  void ReleaseIfEmpty(uint32_t slot);
  absl::StatusOr<uint64_t> InsertOrChange(const CallSpec& spec);
  absl::StatusOr<uint64_t> Insert(const CallSpec& spec);
  absl::StatusOr<uint64_t> Change(uint32_t index, CallRow* row, const CallSpec& spec);
  absl::Status Allocate(uint32_t slot);
  absl::Status TakeAddresses(uint32_t index, uint32_t old_address, uint32_t address,
                             const CallPrefixes* wanted);
  void SendProgram(uint32_t index, const CallRow& row, const CallSpec& spec);
  CallSpec SpecOf(uint32_t index, const CallRow& row) const;

  const bool is_client_;
  CallTable* table_;
  RouteBook* routes_;
  Ipv6RouteBook* ipv6_routes_;
  CallPrefixTable* prefixes_;
  FilterTable* filters_;
  uint16_t outer_mtu_;
  Execute execute_;
  std::mutex mutex_;
  WorkerChoice choice_;
  uint32_t last_generation_;
  CallRows rows_;
  uint32_t num_calls_of_slot_[kMaxLocalAddresses] = {};
};

}  // namespace culvert::dataplane
