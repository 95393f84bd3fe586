// ReplaceFile puts new contents in the place of a file, so that a reader, a crash or a full disk
// finds the old one or the new one, whole.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <span>
#include <string>

#include "controlplane/aaa/users/users.h"

namespace culvert {

// ReplaceFile writes a file beside `path` with the same owner and mode, and renames it. Where
// `path` is a symbolic link, what it points to is replaced. Aborted when `path` is not as in
// `expected` any more: somebody has written it meanwhile. Errors are one line that names the
// remedy.
absl::Status ReplaceFile(const std::string& path, const FileStamp& expected,
                         std::span<const uint8_t> contents);

}  // namespace culvert
