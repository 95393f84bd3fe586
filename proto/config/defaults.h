// kDefaults is config/defaults.toml, put into the binary at build time by embed.py.
#pragma once

#include <string_view>

namespace culvert::config {

extern const std::string_view kDefaults;

}  // namespace culvert::config
