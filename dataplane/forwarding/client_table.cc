#include "dataplane/forwarding/client_table.h"

#include <absl/strings/str_cat.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace culvert::dataplane {
namespace {

constexpr size_t kTableLen = sizeof(uint32_t) << 32;

absl::Status Failed(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat("table of clients' addresses: ", what, ": ",
                                                   strerror(errno),
                                                   "; see `ulimit -v` and vm.max_map_count"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ClientTable>> ClientTable::Create() {
  // What cannot be written is not reckoned as memory, whatever vm.overcommit_memory says.
  void* memory =
      mmap(nullptr, kTableLen, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Failed("mmap");
  }
  madvise(memory, kTableLen, MADV_NOHUGEPAGE);
  madvise(memory, kTableLen, MADV_DONTDUMP);
  return std::unique_ptr<ClientTable>(new ClientTable(memory));
}

ClientTable::ClientTable(void* memory)
    : entries_(static_cast<std::atomic<uint32_t>*>(memory)), num_calls_(kNumRegions) {}

ClientTable::~ClientTable() { munmap(entries_, kTableLen); }

absl::Status ClientTable::Set(uint32_t address, uint32_t call_index) {
  const uint32_t region = address >> kRegionBits;
  if (num_calls_[region] == 0 &&
      mprotect(Region(region), kRegionLen, PROT_READ | PROT_WRITE) != 0) {
    return Failed("mprotect");
  }
  ++num_calls_[region];
  entries_[address].store(call_index + 1, std::memory_order_relaxed);
  return absl::OkStatus();
}

void ClientTable::Erase(uint32_t address) {
  const uint32_t region = address >> kRegionBits;
  if (entries_[address].load(std::memory_order_relaxed) == 0) {
    return;
  }
  entries_[address].store(0, std::memory_order_relaxed);
  if (--num_calls_[region] == 0) {
    // Zeros become zeros: workers may read meanwhile.
    madvise(Region(region), kRegionLen, MADV_DONTNEED);
    mprotect(Region(region), kRegionLen, PROT_READ);
  }
}

bool ClientTable::First(uint32_t from, uint32_t last, uint32_t* address) const {
  uint64_t at = from;
  while (at <= last) {
    const uint64_t region = at >> kRegionBits;
    const uint64_t end = std::min<uint64_t>((region + 1) << kRegionBits, uint64_t{last} + 1);
    for (; num_calls_[region] != 0 && at < end; ++at) {
      if (entries_[at].load(std::memory_order_relaxed) != 0) {
        *address = static_cast<uint32_t>(at);
        return true;
      }
    }
    at = end;
  }
  return false;
}

}  // namespace culvert::dataplane
