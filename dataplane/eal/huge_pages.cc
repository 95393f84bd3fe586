#include "dataplane/eal/huge_pages.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <filesystem>
#include <fstream>

namespace culvert::dataplane {

uint64_t FreeHugePagesMb(const std::string& sysfs) {
  constexpr const char* kPrefix = "hugepages-";
  uint64_t total_kb = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(sysfs, error)) {
    const std::string name = entry.path().filename();  // hugepages-2048kB
    if (name.rfind(kPrefix, 0) != 0) continue;
    uint64_t size_kb = 0;
    uint64_t num_free = 0;
    const size_t digits = std::char_traits<char>::length(kPrefix);
    if (!absl::SimpleAtoi(name.substr(digits, name.find("kB") - digits), &size_kb)) continue;
    std::ifstream(entry.path() / "free_hugepages") >> num_free;
    total_kb += size_kb * num_free;
  }
  return total_kb / 1024;
}

absl::StatusOr<HugePageChoice> ChooseHugePages(const std::string& mode, uint64_t free_mb,
                                               uint32_t memory_mb) {
  if (mode == "off") return HugePageChoice{};
  if (free_mb >= memory_mb) return HugePageChoice{.use = true, .warning = {}};

  const std::string found =
      absl::StrCat("huge pages: ", free_mb, " MB free, dataplane.memory_mb wants ", memory_mb);
  const std::string remedy = absl::StrCat("sysctl -w vm.nr_hugepages=", (memory_mb + 1) / 2);
  if (mode == "require") {
    return absl::FailedPreconditionError(
        absl::StrCat(found, " and dataplane.huge_pages is \"require\"; run `", remedy,
                     "` (pages of 2 MB) or set it to \"auto\""));
  }
  return HugePageChoice{
      .use = false,
      .warning = absl::StrCat(found, "; going on with ordinary pages, which is slower; `", remedy,
                              "` makes them")};
}

}  // namespace culvert::dataplane
