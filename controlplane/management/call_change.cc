#include "controlplane/management/call_change.h"

#include <absl/strings/str_cat.h>

namespace culvert {
namespace {

absl::Status CheckNumber(const char* field, std::optional<uint64_t> value, uint64_t min,
                         uint64_t max, const char* zero) {
  if (!value || *value == 0 || (*value >= min && *value <= max)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", *value, " is out of range: 0 (", zero,
                                                 "), or ", min, " to ", max, " are allowed"));
}

template <typename T>
void Replace(const std::optional<T>& later, std::optional<T>& value) {
  if (later) value = later;
}

}  // namespace

absl::Status Check(const CallChange& change) {
  for (const absl::Status& status :
       {CheckNumber("upstream_bps", change.upstream_bps, kMinRateBps, kMaxRateBps, "no limit"),
        CheckNumber("downstream_bps", change.downstream_bps, kMinRateBps, kMaxRateBps, "no limit"),
        CheckNumber("idle_timeout_s", change.idle_timeout_s, 1, kMaxIdleTimeoutS, "never"),
        CheckNumber("interim_interval_s", change.interim_interval_s, kMinInterimIntervalS,
                    UINT32_MAX, "none")}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void Merge(const CallChange& later, CallChange& change) {
  Replace(later.upstream_bps, change.upstream_bps);
  Replace(later.downstream_bps, change.downstream_bps);
  Replace(later.session_timeout_s, change.session_timeout_s);
  Replace(later.idle_timeout_s, change.idle_timeout_s);
  Replace(later.octet_quota, change.octet_quota);
  Replace(later.interim_interval_s, change.interim_interval_s);
  Replace(later.classes, change.classes);
  Replace(later.filter_id, change.filter_id);
  Replace(later.filter, change.filter);
  Replace(later.address_lists, change.address_lists);
}

}  // namespace culvert
