// ReplaceFile puts new contents in the place of a file, so that a reader, a crash or a full disk
// finds the old one or the new one, whole.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <string>

#include "controlplane/aaa/users/users.h"

namespace culvert {

// ReplaceFile writes a file beside `path` with the same owner and mode, and renames it. Where
// `path` is a symbolic link, what it points to is replaced. Returns the stamp that `path` has then,
// unless somebody replaces it once more. Aborted when `path` is not as in
// `expected` any more: somebody has written it meanwhile. Errors are one line that names the
// remedy.
absl::StatusOr<FileStamp> ReplaceFile(const std::string& path, const FileStamp& expected,
                                      std::span<const uint8_t> contents);

}  // namespace culvert
