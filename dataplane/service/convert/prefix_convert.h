// Prefixes from and to messages.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

// WrongField: InvalidArgument that names the field, its value and what it may be.
absl::Status WrongField(std::string_view field, uint64_t value, std::string_view allowed);

// ToPrefix takes one of at least `min_len` bits; INVALID_ARGUMENT begins with the field.
absl::Status ToPrefix(const std::string& field, const v1::Prefix& prefix, uint32_t min_len,
                      PrefixSpec* out);
void FromPrefix(const PrefixSpec& spec, v1::Prefix* out);

}  // namespace culvert::dataplane
