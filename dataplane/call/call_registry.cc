#include "dataplane/call/call_registry.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <rte_random.h>

#include "dataplane/call/call_mtu.h"
#include "dataplane/mppe/wipe.h"
#include "dataplane/worker/program.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kMinMtu = 68;  // RFC 791 s3.2: every link carries that
constexpr size_t kMaxRecordLen = 1024;

absl::Status Invalid(absl::string_view field, uint64_t value, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value, ": must be ", allowed));
}

absl::Status CheckKey(absl::string_view field, const std::optional<MppeKeySpec>& key) {
  if (key && key->bits != 40 && key->bits != 56 && key->bits != 128) {
    return Invalid(absl::StrCat(field, ".bits"), key->bits, "40, 56 or 128");
  }
  return absl::OkStatus();
}

void Wipe(std::optional<MppeKeySpec>* key) {
  if (*key) {
    mppe::Wipe((*key)->start_key.data(), (*key)->start_key.size());
  }
}

bool SameIdentity(const CallSpec& a, const CallSpec& b) {
  return a.local_address == b.local_address && a.call_id == b.call_id &&
         a.peer_address == b.peer_address && a.peer_call_id == b.peer_call_id;
}

absl::Status Stale(uint64_t handle) {
  return absl::NotFoundError(absl::StrFormat("handle: %#x: no such call", handle));
}

}  // namespace

CallRegistry::CallRegistry(CallTable* table, RouteBook* routes, unsigned num_workers,
                           uint16_t outer_mtu, Execute execute)
    : table_(table),
      routes_(routes),
      outer_mtu_(outer_mtu),
      execute_(std::move(execute)),
      choice_(num_workers),
      last_generation_(static_cast<uint32_t>(rte_rand())) {}

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
  return CheckKey("send", spec.send);
}

absl::StatusOr<uint64_t> CallRegistry::Upsert(const CallSpec& spec) {
  if (absl::Status status = Check(spec); !status.ok()) {
    return status;
  }
  const std::lock_guard lock(mutex_);
  if (spec.handle != 0) {
    const auto entry = calls_.find(HandleIndex(spec.handle));
    if (entry == calls_.end() || entry->second.spec.handle != spec.handle) {
      return Stale(spec.handle);
    }
    if (!SameIdentity(entry->second.spec, spec)) {
      return absl::InvalidArgumentError(
          "local_address, call_id, peer_address, peer_call_id: must be the call's own");
    }
    return Change(&entry->second, spec);
  }
  const uint32_t slot = table_->FindSlot(spec.local_address);
  if (slot != kNoSlot) {
    const auto entry = calls_.find(CallTable::Index(slot, spec.call_id));
    if (entry != calls_.end()) {
      if (!SameIdentity(entry->second.spec, spec)) {
        return absl::AlreadyExistsError(
            absl::StrCat("call_id: ", spec.call_id, ": another call of this address has it"));
      }
      return Change(&entry->second, spec);
    }
  }
  return Insert(spec);
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

absl::StatusOr<uint64_t> CallRegistry::Insert(const CallSpec& spec) {
  const absl::StatusOr<uint32_t> slot = SlotFor(spec.local_address);
  if (!slot.ok()) {
    return slot.status();
  }
  const uint32_t index = CallTable::Index(*slot, spec.call_id);
  if (spec.client_address != 0) {
    if (absl::Status status = routes_->SetCall(spec.client_address, index); !status.ok()) {
      return status;
    }
  }
  last_generation_ = last_generation_ + 1 == 0 ? 1 : last_generation_ + 1;
  Entry entry{spec, choice_.Add(spec.peer_address, spec.local_address)};
  entry.spec.handle = MakeHandle(last_generation_, index);
  table_->SetSlot(*slot, spec.local_address);
  ++num_calls_of_slot_[*slot];
  SendProgram(entry, entry.spec);
  Wipe(&entry.spec.receive);
  Wipe(&entry.spec.send);
  const uint64_t handle = entry.spec.handle;
  calls_.emplace(index, std::move(entry));
  return handle;
}

absl::StatusOr<uint64_t> CallRegistry::Change(Entry* entry, CallSpec spec) {
  spec.handle = entry->spec.handle;
  const uint32_t old_address = entry->spec.client_address;
  if (spec.client_address != 0 && spec.client_address != old_address) {
    const uint32_t index = HandleIndex(spec.handle);
    if (absl::Status status = routes_->SetCall(spec.client_address, index); !status.ok()) {
      Wipe(&spec.receive);
      Wipe(&spec.send);
      return status;
    }
  }
  SendProgram(*entry, spec);
  if (old_address != 0 && spec.client_address != old_address) {
    routes_->RemoveCall(old_address);
  }
  Wipe(&spec.receive);
  Wipe(&spec.send);
  entry->spec = std::move(spec);
  return entry->spec.handle;
}

void CallRegistry::SendProgram(const Entry& entry, const CallSpec& spec) {
  Command command;
  CallProgram& program = command.program;
  program.index = HandleIndex(spec.handle);
  program.generation = HandleGeneration(spec.handle);
  program.local_address = spec.local_address;
  program.peer_address = spec.peer_address;
  program.client_address = spec.client_address;
  program.call_id = spec.call_id;
  program.peer_call_id = spec.peer_call_id;
  program.mtu = CallMtu(spec, outer_mtu_);
  program.receive_window = spec.receive_window;
  program.require_encryption = spec.require_encryption;
  program.send_acfc = spec.send_acfc;
  program.send_pfc = spec.send_pfc;
  program.receive = spec.receive.value_or(MppeKeySpec{});
  program.send = spec.send.value_or(MppeKeySpec{});
  execute_(entry.worker, &command);
  mppe::Wipe(&program.receive, sizeof(program.receive));
  mppe::Wipe(&program.send, sizeof(program.send));
}

absl::StatusOr<CallTotals> CallRegistry::Remove(uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const auto entry = calls_.find(HandleIndex(handle));
  if (entry == calls_.end() || entry->second.spec.handle != handle) {
    return CallTotals{};
  }
  const CallSpec& spec = entry->second.spec;
  if (spec.client_address != 0) {
    routes_->RemoveCall(spec.client_address);
  }
  Command command;
  command.kind = Command::Kind::kRemove;
  command.program.index = HandleIndex(handle);
  execute_(entry->second.worker, &command);
  choice_.Remove(spec.peer_address, entry->second.worker);
  --num_calls_of_slot_[HandleIndex(handle) >> 16];
  calls_.erase(entry);
  return command.totals;
}

std::vector<CallEntry> CallRegistry::List() {
  const std::lock_guard lock(mutex_);
  std::vector<CallEntry> list;
  list.reserve(calls_.size());
  for (const auto& [index, entry] : calls_) {
    list.push_back({entry.spec, TotalsOf(table_->At(index)), entry.worker});
  }
  return list;
}

std::vector<std::pair<uint64_t, CallTotals>> CallRegistry::Counters() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<uint64_t, CallTotals>> list;
  list.reserve(calls_.size());
  for (const auto& [index, entry] : calls_) {
    list.emplace_back(entry.spec.handle, TotalsOf(table_->At(index)));
  }
  return list;
}

absl::StatusOr<unsigned> CallRegistry::WorkerOf(uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const auto entry = calls_.find(HandleIndex(handle));
  if (entry == calls_.end() || entry->second.spec.handle != handle) {
    return Stale(handle);
  }
  return entry->second.worker;
}

}  // namespace culvert::dataplane
