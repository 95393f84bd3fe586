#include "dataplane/call/call_table.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace culvert::dataplane {
namespace {

constexpr uint64_t kMagic = 0x63756c7665727431;  // "culvert1"
constexpr size_t kHeaderLen = 4096;

absl::Status Failed(const char* what, int error = errno) {
  return absl::ResourceExhaustedError(absl::StrCat("call table: ", what, ": ", strerror(error)));
}

// MemoryFile makes a file whose memory is there: a write can fail no more. A negative errno when
// there is not enough.
int MemoryFile(size_t len, unsigned flags) {
  const int file = memfd_create("culvert-calls", MFD_CLOEXEC | flags);
  if (file < 0) {
    return -errno;
  }
  if (fallocate(file, 0, 0, static_cast<off_t>(len)) != 0) {
    const int error = errno;
    close(file);
    return -error;
  }
  return file;
}

// Reserve maps zeros at `at`, or anywhere; they cost nothing.
void* Reserve(void* at, size_t len) {
  return mmap(at, len, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at != nullptr ? MAP_FIXED : 0), -1, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CallTable>> CallTable::Create(uint32_t num_slots) {
  if (num_slots < 1 || num_slots > kMaxLocalAddresses) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_local_addresses: ", num_slots, ": must be 1 to ", kMaxLocalAddresses));
  }
  static_assert(sizeof(Header) <= kHeaderLen);
  const int file = MemoryFile(kHeaderLen, 0);
  if (file < 0) {
    return Failed("memory file", -file);
  }
  void* header = mmap(nullptr, kHeaderLen, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  // One huge page more than needed, so that the rows can begin at one's border.
  const size_t len = kSlotLen * num_slots + kHugePageLen;
  void* rows = Reserve(nullptr, len);
  if (header == MAP_FAILED || rows == MAP_FAILED) {
    const absl::Status status = Failed("mmap");
    if (header != MAP_FAILED) {
      munmap(header, kHeaderLen);
    }
    if (rows != MAP_FAILED) {
      munmap(rows, len);
    }
    close(file);
    return status;
  }
  auto* at = static_cast<uint8_t*>(rows);
  const size_t before = -reinterpret_cast<uintptr_t>(at) % kHugePageLen;
  if (before != 0) {
    munmap(at, before);
  }
  munmap(at + before + kSlotLen * num_slots, kHugePageLen - before);
  std::unique_ptr<CallTable> table(
      new CallTable(file, static_cast<Header*>(header), at + before, num_slots));
  if (!table->MakeSparseTables()) {
    return Failed("mmap");
  }
  return table;
}

bool CallTable::MakeSparseTables() {
  watches_ = SparseTable<CallWatch>::Create(size());
  policers_ = SparseTable<CallPolicers>::Create(size());
  send_windows_ = SparseTable<SendWindow>::Create(size());
  return watches_ != nullptr && policers_ != nullptr && send_windows_ != nullptr;
}

CallTable::CallTable(int header_file, Header* header, void* rows, uint32_t num_slots)
    : header_file_(header_file),
      header_(header),
      rows_(static_cast<uint8_t*>(rows)),
      num_slots_(num_slots) {
  files_.fill(-1);
  madvise(rows, kSlotLen * num_slots, MADV_DONTDUMP);  // keys
  header_->magic = kMagic;
  header_->version = kCallTableVersion;
  header_->call_size = kCallRowLen;
  header_->num_slots = num_slots;
}

CallTable::~CallTable() {
  munmap(rows_, kSlotLen * num_slots_);
  munmap(header_, kHeaderLen);
  close(header_file_);
  for (const int file : files_) {
    if (file >= 0) {
      close(file);
    }
  }
}

absl::Status CallTable::Allocate(uint32_t slot) {
  if (allocated(slot)) {
    return absl::OkStatus();
  }
  // Calls lie at random, so small pages cost a TLB miss each.
  int file = MemoryFile(kSlotLen, MFD_HUGETLB | MFD_HUGE_2MB);
  const bool huge = file >= 0;
  if (!huge) {
    if (!std::exchange(said_no_huge_pages_, true)) {
      spdlog::info(
          "call table: no {} MB in free huge pages ({}): small ones; more with `sysctl "
          "vm.nr_hugepages`",
          kSlotLen >> 20, strerror(-file));
    }
    file = MemoryFile(kSlotLen, 0);
  }
  if (file < 0) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "call table: ", kSlotLen >> 20, " MB for the calls of one more local address: ",
        strerror(-file), "; the machine or the service's MemoryMax needs more memory"));
  }
  if (mmap(Rows(slot), kSlotLen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
           file, 0) == MAP_FAILED) {
    const absl::Status status = Failed("mmap");
    close(file);
    return status;
  }
  madvise(Rows(slot), kSlotLen, MADV_DONTDUMP);
  files_[slot] = file;
  return absl::OkStatus();
}

void CallTable::Release(uint32_t slot) {
  // In one step: there is never a moment when a worker reads nothing.
  if (!allocated(slot) || Reserve(Rows(slot), kSlotLen) == MAP_FAILED) {
    return;
  }
  close(std::exchange(files_[slot], -1));
}

}  // namespace culvert::dataplane
