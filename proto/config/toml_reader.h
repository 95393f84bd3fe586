// ReadToml reads TOML into a message by reflection: the configuration, or what a tool is to do.
// toml++ is used here only.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "proto/config/load.h"
#include "proto/config/source_map.h"

namespace culvert::config {

// ReadToml adds what `text` sets to `message`, whose fields may have Limits, the places to `places`
// and what is wrong to `problems`. Arrays replace. `file` is the name in places and problems;
// `from_user`: not the embedded defaults.
void ReadToml(std::string_view text, const std::string& file, bool from_user,
              google::protobuf::Message* message, SourceMap* places,
              std::vector<Problem>* problems);

}  // namespace culvert::config
