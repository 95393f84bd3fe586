#include "dataplane/mppe/stateful_table.h"

#include <absl/strings/str_cat.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace culvert::dataplane::mppe {

absl::StatusOr<std::unique_ptr<StatefulTable>> StatefulTable::Create(uint32_t num_calls) {
  const size_t len = 2 * size_t{num_calls} * sizeof(StatefulRow);
  void* rows = mmap(nullptr, len, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (rows == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("table of stateful MPPE: ", len >> 20, " MB: ", strerror(errno)));
  }
  madvise(rows, len, MADV_DONTDUMP);  // keys
  return std::unique_ptr<StatefulTable>(new StatefulTable(static_cast<StatefulRow*>(rows), len));
}

StatefulTable::~StatefulTable() { munmap(rows_, len_); }

}  // namespace culvert::dataplane::mppe
