// Filters from messages of proto/culvert/dataplane/v1.
#pragma once

#include <absl/status/statusor.h>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/filter/filter_spec.h"

namespace culvert::dataplane {

// ToFilterSpec checks that numbers fit their fields; InvalidArgument names the field and what it
// may be. The rest is Filter::Check's.
absl::StatusOr<FilterSpec> ToFilterSpec(const v1::Filter& filter);

}  // namespace culvert::dataplane
