#include "dataplane/call/call_registry.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <rte_random.h>

#include <algorithm>

#include "dataplane/call/ack_delay.h"
#include "dataplane/call/call_mtu.h"
#include "dataplane/call/spec_prefixes.h"
#include "dataplane/mppe/wipe.h"
#include "dataplane/worker/program.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kMinMtu = 68;  // RFC 791 s3.2: every link carries that
constexpr size_t kMaxRecordLen = 1024;
constexpr size_t kMaxPending = 64;

absl::Status Invalid(absl::string_view field, uint64_t value, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value, ": must be ", allowed));
}

absl::Status CheckKey(absl::string_view field, const std::optional<MppeKeySpec>& key) {
  if (key && key->bits != 40 && key->bits != 56 && key->bits != 128) {
    return Invalid(absl::StrCat(field, ".bits"), key->bits, "40, 56 or 128");
  }
  return absl::OkStatus();
}

bool SameCaller(const CallRow& row, const CallSpec& spec) {
  return row.peer_address == spec.peer_address && row.peer_call_id == spec.peer_call_id;
}

// Take gives a call its address, when that is a new one, and its networks; all or nothing.
template <typename Book, typename Address, typename Routes>
absl::Status Take(Book* book, uint32_t index, Address old_address, Address address, Routes old,
                  Routes wanted) {
  const bool is_new = address != 0 && address != old_address;
  absl::Status status = is_new ? book->SetCall(address, index) : absl::OkStatus();
  if (status.ok() && (!old.empty() || !wanted.empty())) {
    status = book->SetCallRoutes(index, old, wanted);
    if (!status.ok() && is_new) {
      book->RemoveCall(address);
    }
  }
  return status;
}

absl::Status Stale(uint64_t handle) {
  return absl::NotFoundError(absl::StrFormat("handle: %#x: no such call", handle));
}

}  // namespace

CallRegistry::CallRegistry(DatapathRole role, CallTable* table, RouteBook* routes,
                           Ipv6RouteBook* ipv6_routes, CallPrefixTable* prefixes,
                           FilterTable* filters, unsigned num_workers, uint16_t outer_mtu,
                           Execute execute)
    : is_client_(role == DatapathRole::kClient),
      table_(table),
      routes_(routes),
      ipv6_routes_(ipv6_routes),
      prefixes_(prefixes),
      filters_(filters),
      outer_mtu_(outer_mtu),
      execute_(std::move(execute)),
      choice_(num_workers),
      last_generation_(static_cast<uint32_t>(rte_rand())) {}

CallRegistry::~CallRegistry() {
  rows_.ForEach([this](uint32_t index, const CallRow&) { prefixes_->Exchange(index, nullptr); });
}

absl::Status CallRegistry::Check(const CallSpec& spec) const {
  if (spec.local_address == 0) {
    return Invalid("local_address", 0, "an address");
  }
  if (spec.peer_address == 0) {
    return Invalid("peer_address", 0, "an address");
  }
  if (spec.call_id == 0) {
    return Invalid("call_id", 0, "1 to 65535");
  }
  if (spec.receive_window == 0) {
    return Invalid("receive_window", 0, "1 to 65535");
  }
  if (spec.record.size() > kMaxRecordLen) {
    return Invalid("record", spec.record.size(), "at most 1024 octets");
  }
  if (spec.mtu != 0 && spec.mtu < kMinMtu) {
    return Invalid("mtu", spec.mtu, "0 or 68 and more");
  }
  if (CallMtu(spec, outer_mtu_) < kMinMtu) {
    return Invalid("peer_mru", spec.peer_mru, "at least 72");
  }
  if (absl::Status status = CheckKey("receive", spec.receive); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckKey("send", spec.send); !status.ok()) {
    return status;
  }
  if (spec.ack_delay_ms < 1 || spec.ack_delay_ms > AckDelay::kMaxMs) {
    return Invalid("ack_delay_ms", spec.ack_delay_ms, "1 to 1000");
  }
  return CheckPrefixes(spec);
}

void CallRegistry::Program(std::span<CallOperation> operations) {
  const std::lock_guard programming(program_mutex_);
  std::unique_lock lock(mutex_);
  for (CallOperation& operation : operations) {
    if (pending_.size() == kMaxPending || IsPending(operation)) {
      ExecutePending(&lock);
    }
    operation.status = Begin(&operation);
    if (!operation.status.ok() && !pending_.empty()) {
      ExecutePending(&lock);  // what it lacks may be what these still hold
      operation.status = Begin(&operation);
    }
  }
  ExecutePending(&lock);
}

bool CallRegistry::IsPending(const CallOperation& operation) const {
  const CallSpec& spec = operation.spec;
  uint64_t handle = operation.handle;
  uint32_t index = 0;
  if (operation.kind == CallOperation::Kind::kUpsert) {
    handle = spec.handle;
    const uint32_t slot = table_->FindSlot(SlotAddress(spec));
    if (handle == 0 && slot == kNoSlot) {
      return false;
    }
    index = CallTable::Index(slot, spec.call_id);
  }
  if (handle != 0) {
    index = HandleIndex(handle);
  }
  return std::any_of(pending_.begin(), pending_.end(),
                     [index](const auto& pending) { return pending->index == index; });
}

void CallRegistry::ExecutePending(std::unique_lock<std::mutex>* lock) {
  if (pending_.empty()) {
    return;
  }
  Command* commands[kMaxPending];
  for (size_t i = 0; i < pending_.size(); ++i) {
    commands[i] = &pending_[i]->command;
  }
  lock->unlock();
  execute_({commands, pending_.size()});
  lock->lock();
  for (const auto& pending : pending_) {
    Complete(pending.get());
  }
  pending_.clear();
}

absl::Status CallRegistry::Begin(CallOperation* operation) {
  return operation->kind == CallOperation::Kind::kUpsert ? BeginUpsert(operation)
                                                         : BeginRemove(operation);
}

absl::Status CallRegistry::BeginUpsert(CallOperation* operation) {
  const CallSpec& spec = operation->spec;
  if (absl::Status status = Check(spec); !status.ok()) {
    return status;
  }
  if (absl::Status status = filters_->Acquire(spec.filter); !status.ok()) {
    return status;
  }
  absl::Status status = InsertOrChange(operation);
  if (!status.ok()) {
    filters_->Release(spec.filter);
  }
  return status;
}

absl::Status CallRegistry::InsertOrChange(CallOperation* operation) {
  const CallSpec& spec = operation->spec;
  const uint32_t slot = table_->FindSlot(SlotAddress(spec));
  const uint32_t index = slot == kNoSlot ? kNoSlot : CallTable::Index(slot, spec.call_id);
  if (spec.handle != 0) {
    CallRow* row = rows_.Find(spec.handle);
    if (row == nullptr) {
      return Stale(spec.handle);
    }
    if (index != HandleIndex(spec.handle) || !SameCaller(*row, spec)) {
      return absl::InvalidArgumentError(
          "local_address, call_id, peer_address, peer_call_id: must be the call's own");
    }
    return Change(index, row, operation);
  }
  if (CallRow* row = rows_.Find(index); row != nullptr) {
    if (!SameCaller(*row, spec)) {
      return absl::AlreadyExistsError(
          absl::StrCat("call_id: ", spec.call_id, ": another call of this address has it"));
    }
    return Change(index, row, operation);
  }
  return Insert(operation);
}

// SlotFor finds or takes a slot. A slot whose calls have all gone is taken last, so that late
// packets to its address still count as those of an unknown call.
absl::StatusOr<uint32_t> CallRegistry::SlotFor(uint32_t local_address) {
  uint32_t slot = table_->FindSlot(local_address);
  if (slot == kNoSlot) {
    slot = table_->FindSlot(0);
  }
  for (uint32_t i = 0; slot == kNoSlot && i < table_->num_slots(); ++i) {
    slot = num_calls_of_slot_[i] == 0 ? i : kNoSlot;
  }
  if (slot == kNoSlot) {
    return absl::ResourceExhaustedError(absl::StrCat("local_address: calls have ",
                                                     table_->num_slots(),
                                                     " others already; see max_local_addresses"));
  }
  return slot;
}

absl::Status CallRegistry::Allocate(uint32_t slot) {
  if (absl::Status status = table_->Allocate(slot); !status.ok()) {
    return status;
  }
  return rows_.Allocate(slot) ? absl::OkStatus() : absl::ResourceExhaustedError("out of memory");
}

absl::Status CallRegistry::Insert(CallOperation* operation) {
  const CallSpec& spec = operation->spec;
  const absl::StatusOr<uint32_t> slot = SlotFor(SlotAddress(spec));
  if (!slot.ok()) {
    return slot.status();
  }
  const uint32_t index = CallTable::Index(*slot, spec.call_id);
  auto prefixes = PrefixesOf(spec);
  absl::Status status = Allocate(*slot);
  if (status.ok()) {
    status = TakeAddresses(index, 0, Routed(spec.client_address), prefixes.get());
  }
  if (!status.ok()) {
    ReleaseIfEmpty(*slot);
    return status;
  }
  prefixes_->Exchange(index, std::move(prefixes));
  CallRow* row = rows_.At(index);
  row->Pack(spec);
  last_generation_ = last_generation_ + 1 == 0 ? 1 : last_generation_ + 1;
  row->generation = last_generation_;
  row->worker =
      static_cast<uint16_t>(is_client_ ? choice_.Add(spec.local_address, spec.peer_address)
                                       : choice_.Add(spec.peer_address, spec.local_address));
  table_->SetSlot(*slot, SlotAddress(spec));
  ++num_calls_of_slot_[*slot];
  AddProgram(index, *row, operation);
  return absl::OkStatus();
}

absl::Status CallRegistry::Change(uint32_t index, CallRow* row, CallOperation* operation) {
  const CallSpec& spec = operation->spec;
  const uint32_t old_address = Routed(row->client_address);
  const uint32_t address = Routed(spec.client_address);
  auto prefixes = PrefixesOf(spec);
  absl::Status status = TakeAddresses(index, old_address, address, prefixes.get());
  if (!status.ok()) {
    return status;
  }
  const Ipv6Number client6 = prefixes != nullptr ? prefixes->ipv6_client : 0;
  Pending& pending = AddProgram(index, *row, operation);
  pending.old_prefixes = prefixes_->Exchange(index, std::move(prefixes));
  if (pending.old_prefixes != nullptr && pending.old_prefixes->ipv6_client != client6) {
    pending.old_ipv6_client = pending.old_prefixes->ipv6_client;
  }
  pending.old_address = address != old_address ? old_address : 0;
  pending.old_filter = row->filter();
  row->Pack(spec);
  return absl::OkStatus();
}

void CallRegistry::Complete(Pending* pending) {
  CallProgram& program = pending->command.program;
  mppe::Wipe(&program.receive, sizeof(program.receive));
  mppe::Wipe(&program.send, sizeof(program.send));
  if (pending->command.kind == Command::Kind::kRemove) {
    return CompleteRemove(*pending);
  }
  if (pending->old_ipv6_client != 0) {
    ipv6_routes_->RemoveCall(pending->old_ipv6_client);
  }
  if (pending->old_address != 0) {
    routes_->RemoveCall(pending->old_address);
  }
  filters_->Release(pending->old_filter);
}

// TakeAddresses has packets to the call's wanted address and networks go to it. The old addresses
// stay for now; on an error all stays.
absl::Status CallRegistry::TakeAddresses(uint32_t index, uint32_t old_address, uint32_t address,
                                         const CallPrefixes* wanted) {
  static const CallPrefixes kNone;
  const CallPrefixes* had = prefixes_->Find(index);
  const CallPrefixes& before = had != nullptr ? *had : kNone;
  const CallPrefixes& after = wanted != nullptr ? *wanted : kNone;
  absl::Status status =
      Take(routes_, index, old_address, address, std::span(before.ipv4), std::span(after.ipv4));
  if (!status.ok()) {
    return status;
  }
  status = Take(ipv6_routes_, index, before.ipv6_client, after.ipv6_client, before.ipv6_routes(),
                after.ipv6_routes());
  if (!status.ok()) {
    Take(routes_, index, address, 0U, std::span(after.ipv4), std::span(before.ipv4)).IgnoreError();
    if (address != 0 && address != old_address) {
      routes_->RemoveCall(address);
    }
  }
  return status;
}

CallRegistry::Pending& CallRegistry::AddProgram(uint32_t index, const CallRow& row,
                                                CallOperation* operation) {
  const CallSpec& spec = operation->spec;
  operation->handle = MakeHandle(row.generation, index);
  Pending& pending = *pending_.emplace_back(
      std::make_unique<Pending>(Pending{.operation = operation, .index = index}));
  pending.command.worker = row.worker;
  CallProgram& program = pending.command.program;
  program.index = index;
  program.generation = row.generation;
  program.local_address = spec.local_address;
  program.peer_address = spec.peer_address;
  program.client_address = spec.client_address;
  program.call_id = spec.call_id;
  program.peer_call_id = spec.peer_call_id;
  program.mtu = CallMtu(spec, outer_mtu_);
  program.receive_window = spec.receive_window;
  program.peer_window = spec.peer_window;
  program.filter = spec.filter;
  program.ack_delay_ms = spec.ack_delay_ms;
  program.reorder = spec.reorder;
  program.keepalive = spec.keepalive;
  program.upstream_policer = spec.upstream_policer;
  program.downstream_policer = spec.downstream_policer;
  program.idle_timeout_s = spec.idle_timeout_s;
  program.octet_quota = spec.octet_quota;
  program.require_encryption = spec.require_encryption;
  program.send_acfc = spec.send_acfc;
  program.send_pfc = spec.send_pfc;
  program.outer = spec.outer;
  program.receive = spec.receive.value_or(MppeKeySpec{});
  program.send = spec.send.value_or(MppeKeySpec{});
  return pending;
}

CallRegistry::Pending& CallRegistry::AddRemove(uint32_t index, const CallRow& row,
                                               CallOperation* operation) {
  Pending& pending = *pending_.emplace_back(
      std::make_unique<Pending>(Pending{.operation = operation, .index = index}));
  pending.command.kind = Command::Kind::kRemove;
  pending.command.worker = row.worker;
  pending.command.program.index = index;
  return pending;
}

void CallRegistry::ReleaseIfEmpty(uint32_t slot) {
  if (num_calls_of_slot_[slot] == 0) {
    table_->Release(slot);
    rows_.Release(slot);
  }
}

absl::Status CallRegistry::BeginRemove(CallOperation* operation) {
  const CallRow* row = rows_.Find(operation->handle);
  operation->totals = {};
  if (row == nullptr) {
    return absl::OkStatus();
  }
  const uint32_t index = HandleIndex(operation->handle);
  if (const uint32_t address = Routed(row->client_address); address != 0) {
    routes_->RemoveCall(address);
  }
  if (const CallPrefixes* prefixes = prefixes_->Find(index);
      prefixes != nullptr && prefixes->ipv6_client != 0) {
    ipv6_routes_->RemoveCall(prefixes->ipv6_client);
  }
  TakeAddresses(index, 0, 0, nullptr).IgnoreError();  // taking none cannot fail
  AddRemove(index, *row, operation).spread_by =
      is_client_ ? Load(table_->At(index).local_address) : row->peer_address;
  return absl::OkStatus();
}

void CallRegistry::CompleteRemove(const Pending& pending) {
  pending.operation->totals = pending.command.totals;
  prefixes_->Exchange(pending.index, nullptr);
  CallRow* row = rows_.At(pending.index);
  choice_.Remove(pending.spread_by, row->worker);
  filters_->Release(row->filter());
  row->Clear();
  --num_calls_of_slot_[pending.index >> 16];
  ReleaseIfEmpty(pending.index >> 16);
}

CallSpec CallRegistry::SpecOf(uint32_t index, const CallRow& row) const {
  CallSpec spec = row.Unpack();
  spec.handle = MakeHandle(row.generation, index);
  spec.local_address =
      is_client_ ? Load(table_->At(index).local_address) : table_->LocalAddress(index >> 16);
  spec.call_id = static_cast<uint16_t>(index);
  return spec;
}

std::vector<CallEntry> CallRegistry::List() {
  const std::lock_guard lock(mutex_);
  std::vector<CallEntry> list;
  rows_.ForEach([&](uint32_t index, const CallRow& row) {
    list.push_back({SpecOf(index, row), TotalsOf(table_->At(index)), row.worker});
  });
  return list;
}

std::vector<std::pair<uint64_t, CallTotals>> CallRegistry::Counters() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<uint64_t, CallTotals>> list;
  rows_.ForEach([&](uint32_t index, const CallRow& row) {
    list.emplace_back(MakeHandle(row.generation, index), TotalsOf(table_->At(index)));
  });
  return list;
}

absl::StatusOr<unsigned> CallRegistry::WorkerOf(uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const CallRow* row = rows_.Find(handle);
  if (row == nullptr) {
    return Stale(handle);
  }
  return row->worker;
}

}  // namespace culvert::dataplane
