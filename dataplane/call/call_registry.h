// CallRegistry: the control side's view of the calls: who exists, what was asked for, which worker
// has it. It checks requests before a worker sees them, and gives workers many at a time: waiting
// for each would bound how fast calls come and go.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
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
  // Execute has the workers carry out commands and returns when they have.
  using Execute = std::function<void(std::span<Command* const> commands)>;

  // Borrows all five. `outer_mtu`: the smallest of the ports'.
  CallRegistry(DatapathRole role, CallTable* table, RouteBook* routes, Ipv6RouteBook* ipv6_routes,
               CallPrefixTable* prefixes, FilterTable* filters, unsigned num_workers,
               uint16_t outer_mtu, Execute execute);
  ~CallRegistry();
  CallRegistry(const CallRegistry&) = delete;
  CallRegistry& operator=(const CallRegistry&) = delete;

  void Program(std::span<CallOperation> operations);
  [[nodiscard]] std::vector<CallEntry> List();
  [[nodiscard]] std::vector<std::pair<uint64_t, CallTotals>> Counters();
  // WorkerOf gives NOT_FOUND for a stale handle.
  [[nodiscard]] absl::StatusOr<unsigned> WorkerOf(uint64_t handle);

 private:
  // Pending is an operation that its worker has yet to carry out, and what is to be done then.
  struct Pending {
    CallOperation* operation;
    uint32_t index = 0;
    Command command{};
    // Of a change, which workers may look at until they have the new: what the call had.
    uint32_t old_address = 0;  // 0: it keeps it
    Ipv6Number old_ipv6_client = 0;
    std::unique_ptr<const CallPrefixes> old_prefixes{};
    uint16_t old_filter = 0;
    uint32_t spread_by = 0;  // of a removal: as WorkerChoice::Remove
  };

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
  // IsPending: an operation of the same call is.
  [[nodiscard]] bool IsPending(const CallOperation& operation) const;
  // Begin does what comes before the worker; or gives an error, and has done nothing. Complete does
  // what comes after.
  absl::Status Begin(CallOperation* operation);
  absl::Status BeginUpsert(CallOperation* operation);
  absl::Status BeginRemove(CallOperation* operation);
  void Complete(Pending* pending);
  void CompleteRemove(const Pending& pending);
  // ExecutePending: List() and the like go on while the workers are waited for.
  void ExecutePending(std::unique_lock<std::mutex>* lock);
  absl::Status InsertOrChange(CallOperation* operation);
  absl::Status Insert(CallOperation* operation);
  absl::Status Change(uint32_t index, CallRow* row, CallOperation* operation);
  absl::Status Allocate(uint32_t slot);
  absl::Status TakeAddresses(uint32_t index, uint32_t old_address, uint32_t address,
                             const CallPrefixes* wanted);
  // AddProgram, AddRemove: the worker is to have the call as `row` and `operation` say, or no more.
  Pending& AddProgram(uint32_t index, const CallRow& row, CallOperation* operation);
  Pending& AddRemove(uint32_t index, const CallRow& row, CallOperation* operation);
  CallSpec SpecOf(uint32_t index, const CallRow& row) const;

  const bool is_client_;
  CallTable* table_;
  RouteBook* routes_;
  Ipv6RouteBook* ipv6_routes_;
  CallPrefixTable* prefixes_;
  FilterTable* filters_;
  uint16_t outer_mtu_;
  Execute execute_;
  std::mutex program_mutex_;  // of Program(), and before mutex_
  std::vector<std::unique_ptr<Pending>> pending_;
  std::mutex mutex_;  // of what follows
  WorkerChoice choice_;
  uint32_t last_generation_;
  CallRows rows_;
  uint32_t num_calls_of_slot_[kMaxLocalAddresses] = {};
};

}  // namespace culvert::dataplane
