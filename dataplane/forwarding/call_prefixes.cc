#include "dataplane/forwarding/call_prefixes.h"

#include <sys/mman.h>

namespace culvert::dataplane {

absl::StatusOr<std::unique_ptr<CallPrefixTable>> CallPrefixTable::Create() {
  void* memory = mmap(nullptr, kSize * sizeof(Entry), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError("table of the calls' routes: no memory");
  }
  madvise(memory, kSize * sizeof(Entry), MADV_NOHUGEPAGE);  // or one call would cost 2 MB
  return std::unique_ptr<CallPrefixTable>(new CallPrefixTable(memory));
}

// What is still in it is whose calls are still there; the registry takes those out before.
CallPrefixTable::~CallPrefixTable() { munmap(entries_, kSize * sizeof(Entry)); }

}  // namespace culvert::dataplane
