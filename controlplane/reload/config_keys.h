// ConfigKeys: which keys of two configurations differ, and taking some of them over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "culvert/config/v1/config.pb.h"

namespace culvert {

// ChangedKeys gives the keys whose values differ, in the order of the schema: "log.level",
// "pools[1].ranges"; "pools[2]" is an item that only one of them has.
[[nodiscard]] std::vector<std::string> ChangedKeys(const config::v1::Config& before,
                                                   const config::v1::Config& after);

// CoversKey: whether `key` is `path` or lies in it; `path` has no indices.
[[nodiscard]] bool CoversKey(std::string_view path, std::string_view key);

// CopyKey gives `to` the value that `path` has in `from`; false: there is no such key.
bool CopyKey(std::string_view path, const config::v1::Config& from, config::v1::Config* to);

}  // namespace culvert
