// What one value may be, by the Limits that stand beside its field in config.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "culvert/config/v1/config.pb.h"

namespace culvert::config {

// CheckString and CheckInteger answer what is wrong with a value and what is allowed, or an
// empty string.
[[nodiscard]] std::string CheckString(std::string_view value, const v1::Limits& limits);
[[nodiscard]] std::string CheckInteger(int64_t value, const v1::Limits& limits);

}  // namespace culvert::config
