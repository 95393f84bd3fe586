// The networks that a CallSpec asks for.
#pragma once

#include <absl/status/status.h>

#include <memory>

#include "dataplane/datapath.h"
#include "dataplane/forwarding/call_prefixes.h"

namespace culvert::dataplane {

// CheckPrefixes checks ipv6 and routes; INVALID_ARGUMENT begins with the field.
absl::Status CheckPrefixes(const CallSpec& spec);

// PrefixesOf takes a spec that CheckPrefixes liked; null for a call with none of it.
std::unique_ptr<const CallPrefixes> PrefixesOf(const CallSpec& spec);

}  // namespace culvert::dataplane
