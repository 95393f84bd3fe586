// ReadToml reads TOML into the configuration message by reflection. toml++ is used here only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/config/load.h"
#include "proto/config/source_map.h"

namespace culvert::config {

// ReadToml adds what `text` sets to `config`, the places to `places` and what is wrong to
// `problems`. Arrays replace. `file` is the name in places and problems; `from_user`: not the
// embedded defaults.
void ReadToml(std::string_view text, const std::string& file, bool from_user, v1::Config* config,
              SourceMap* places, std::vector<Problem>* problems);

}  // namespace culvert::config
