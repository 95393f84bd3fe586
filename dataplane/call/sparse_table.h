// SparseTable: state that only some calls have, by call index. Memory is taken with the first write
// near an index. Like a row of the call table an entry belongs to the call's worker.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace culvert::dataplane {

template <typename T>
class SparseTable {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Create gives nullptr when there is no address space for `size` entries.
  static std::unique_ptr<SparseTable> Create(uint32_t size) {
    void* entries = mmap(nullptr, size * sizeof(T), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return entries == MAP_FAILED ? nullptr
                                 : std::unique_ptr<SparseTable>(new SparseTable(entries, size));
  }
  ~SparseTable() { munmap(entries_, size_ * sizeof(T)); }
  SparseTable(const SparseTable&) = delete;
  SparseTable& operator=(const SparseTable&) = delete;

  // At takes an index below `size`; what was never written is all zeros.
  T& At(uint32_t index) { return entries_[index]; }

 private:
  SparseTable(void* entries, uint32_t size) : entries_(static_cast<T*>(entries)), size_(size) {}
  T* entries_;
  size_t size_;
};

}  // namespace culvert::dataplane
