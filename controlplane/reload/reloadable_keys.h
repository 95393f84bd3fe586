// ReloadableKeys: what a reload applies while calls are up. Everything else needs a restart.
#pragma once

#include <span>
#include <string_view>

namespace culvert {

// ReloadableKeys: tables stand for all that is in them.
[[nodiscard]] std::span<const std::string_view> ReloadableKeys();

}  // namespace culvert
