// ReadSecretFile reads a whole file of passwords, if nobody but its owner may.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "controlplane/crypto/secret.h"

namespace culvert {

// ReadSecretFile fails with one line that names the remedy when the file cannot be opened, is no
// regular file, is larger than 256 MiB, or may be read or written by others (PermissionDenied).
absl::Status ReadSecretFile(const std::string& path, Secret& contents);

}  // namespace culvert
