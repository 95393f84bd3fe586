// PrepareSocketPath makes the place for a Unix socket to listen on.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace culvert {

// PrepareSocketPath makes the folder of `path` when it is not there and removes a socket that
// nobody answers on. What else stands there, or a process that answers, is an error; each names
// the path and the remedy.
[[nodiscard]] absl::Status PrepareSocketPath(const std::string& path);

}  // namespace culvert
