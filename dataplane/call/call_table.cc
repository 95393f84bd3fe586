#include "dataplane/call/call_table.h"

#include <absl/strings/str_cat.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane {
namespace {

constexpr uint64_t kMagic = 0x63756c7665727431;  // "culvert1"

absl::Status Failed(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat("call table: ", what, ": ", strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CallTable>> CallTable::Create(uint32_t num_slots) {
  if (num_slots < 1 || num_slots > kMaxLocalAddresses) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_local_addresses: ", num_slots, ": must be 1 to ", kMaxLocalAddresses));
  }
  const int fd = memfd_create("culvert-calls", MFD_CLOEXEC);
  if (fd < 0) {
    return Failed("memfd_create");
  }
  if (ftruncate(fd, static_cast<off_t>(FileLen(num_slots))) != 0) {
    const absl::Status status = Failed("ftruncate");
    close(fd);
    return status;
  }
  void* memory = mmap(nullptr, FileLen(num_slots), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    const absl::Status status = Failed("mmap");
    close(fd);
    return status;
  }
  return std::unique_ptr<CallTable>(new CallTable(fd, memory, num_slots));
}

CallTable::CallTable(int fd, void* memory, uint32_t num_slots)
    : fd_(fd),
      header_(static_cast<Header*>(memory)),
      calls_(reinterpret_cast<Call*>(static_cast<uint8_t*>(memory) + kHeaderLen)),
      num_slots_(num_slots) {
  // Where the kernel can (shmem_enabled); calls lie at random, so small pages cost a TLB miss each.
  madvise(memory, FileLen(num_slots), MADV_HUGEPAGE);
  header_->magic = kMagic;
  header_->version = kCallTableVersion;
  header_->call_size = sizeof(Call);
  header_->num_slots = num_slots;
}

CallTable::~CallTable() {
  munmap(header_, FileLen(num_slots_));
  close(fd_);
}

}  // namespace culvert::dataplane
