// What a call may be given beyond the first packet: routes, policers, keepalive and the like, from
// CallConfig to CallSpec and back.
#pragma once

#include <absl/status/status.h>

#include <string_view>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

constexpr int kMaxRoutes = 16;

// ToFeatures checks every limit, then fills what it is about; bursts that are 0 get their default.
absl::Status ToFeatures(const v1::CallConfig& config, CallSpec* spec);
void FromFeatures(const CallSpec& spec, v1::CallConfig* config);

}  // namespace culvert::dataplane
