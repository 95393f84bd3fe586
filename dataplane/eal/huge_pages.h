// Huge pages: what the kernel has free, and whether EAL is to use them.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

namespace culvert::dataplane {

// FreeHugePagesMb is the memory in free huge pages of all sizes, in MiB; `sysfs` is
// /sys/kernel/mm/hugepages or a folder like it. 0 when it cannot be read.
uint64_t FreeHugePagesMb(const std::string& sysfs);

struct HugePageChoice {
  bool use = false;
  std::string warning;  // to be logged once; empty: none
};
// ChooseHugePages decides by dataplane.huge_pages (auto, require, off). FailedPrecondition with
// the remedy when they are required and not there.
absl::StatusOr<HugePageChoice> ChooseHugePages(const std::string& mode, uint64_t free_mb,
                                               uint32_t memory_mb);

}  // namespace culvert::dataplane
