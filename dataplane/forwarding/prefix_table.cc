#include "dataplane/forwarding/prefix_table.h"

#include <sys/mman.h>

#include <algorithm>

namespace culvert::dataplane {
namespace {

constexpr uint64_t Upper(Ipv6Number address) { return absl::Uint128High64(address); }

}  // namespace

PrefixTable::~PrefixTable() {
  if (entries_ != nullptr) {
    munmap(entries_, sizeof(Entry) << kSizeBits);
  }
}

uint32_t PrefixTable::Find(Ipv6Number address) const {
  const Entry* entries = entries_.load(std::memory_order_acquire);
  if (entries == nullptr) {
    return kNone;
  }
  const uint64_t key = Upper(address);
  const uint64_t begin = Hash(key);
  const uint64_t last = begin + max_steps_.load(std::memory_order_relaxed);
  for (uint64_t at = begin; at <= last; ++at) {
    const Entry& entry = entries[at & kMask];
    const uint64_t found = entry.key.load(std::memory_order_acquire);
    if (found == key && key != kGone) {
      return entry.call_index.load(std::memory_order_relaxed);
    }
    if (found == 0) {
      break;
    }
  }
  return kNone;
}

absl::Status PrefixTable::Set(Ipv6Number address, uint32_t call_index) {
  if (entries_ == nullptr) {
    void* memory = mmap(nullptr, sizeof(Entry) << kSizeBits, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      return absl::ResourceExhaustedError("table of clients' IPv6 prefixes: no memory");
    }
    entries_.store(static_cast<Entry*>(memory), std::memory_order_release);
  }
  const uint64_t begin = Hash(Upper(address));
  uint64_t at = begin;
  const auto taken = [this, &at] {
    const uint64_t key = entries_.load()[at & kMask].key.load(std::memory_order_relaxed);
    return key != 0 && key != kGone;
  };
  while (taken()) {
    ++at;
  }
  max_steps_ = std::max(max_steps_.load(), at - begin);
  Entry& entry = entries_.load()[at & kMask];
  entry.call_index.store(call_index, std::memory_order_relaxed);
  entry.key.store(Upper(address), std::memory_order_release);
  calls_.emplace(Upper(address), call_index);
  return absl::OkStatus();
}

void PrefixTable::Erase(Ipv6Number address) {
  if (calls_.erase(Upper(address)) == 0) {
    return;
  }
  Entry* entries = entries_;
  const auto key = [entries](uint64_t at) -> std::atomic<uint64_t>& {
    return entries[at & kMask].key;
  };
  uint64_t at = Hash(Upper(address));
  while (key(at) != Upper(address)) {
    ++at;
  }
  key(at).store(kGone, std::memory_order_relaxed);
  // What nothing comes behind ends searches again.
  for (; key(at + 1) == 0 && key(at) == kGone; --at) {
    key(at).store(0, std::memory_order_relaxed);
  }
}

bool PrefixTable::First(Ipv6Number from, Ipv6Number last, Ipv6Number* address) const {
  const auto found = calls_.lower_bound(Upper(from));
  if (found == calls_.end() || found->first > Upper(last)) {
    return false;
  }
  *address = absl::MakeUint128(found->first, 0);
  return true;
}

}  // namespace culvert::dataplane
