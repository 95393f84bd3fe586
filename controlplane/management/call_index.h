// CallIndex finds calls by what names them besides their id, without a scan: a hint of ids that
// CallDirectory then compares with what was asked for. Any thread.
#pragma once

#include <absl/container/btree_set.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "controlplane/management/call_record.h"
#include "controlplane/management/call_watch.h"

namespace culvert {

class CallIndex {
 public:
  // Replace: the call was indexed as `before` (a default record: not yet) and is now as `now`
  // says (a default record: gone). Calls with one id must be replaced by one thread at a time.
  void Replace(const CallRecord& before, const CallRecord& now);

  // Candidates: ids among which are all that match; some may have changed or gone meanwhile.
  // nullopt: the filter names nothing that is indexed.
  [[nodiscard]] std::optional<std::vector<uint64_t>> Candidates(const CallFilter& filter) const;

 private:
  // By a hash of what is indexed and its value, then by id: many calls may share a user or an
  // address, and each is still found and removed in logarithmic time.
  using Entry = std::pair<uint64_t, uint64_t>;
  struct alignas(64) Part {
    mutable std::mutex mutex;
    absl::btree_set<Entry> entries;
  };
  static constexpr size_t kKeys = 9;
  using Keys = std::array<uint64_t, kKeys>;  // 0: the call has no such key

  [[nodiscard]] static Keys KeysOf(const CallRecord& record);
  // KeyOf is the most selective one of a filter; 0: it has none.
  [[nodiscard]] static uint64_t KeyOf(const CallFilter& filter);

  std::array<Part, kNumHomes> parts_;  // by the call's id: a look-up asks all of them
};

}  // namespace culvert
