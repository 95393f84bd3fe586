// UserKeys: the keys of a user in the users file that say what comes with it.
#pragma once

#include <string_view>
#include <vector>

#include "controlplane/aaa/grants.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace culvert {

struct UserKey {
  const char* name;
  const char* allowed;  // goes on from "must be "
  // read is false when the value is not allowed; the grants are then not to be used.
  bool (*read)(const toml::node& node, CallGrants& grants);
};

// FindUserKey gives null for an unknown one.
[[nodiscard]] const UserKey* FindUserKey(std::string_view name);
[[nodiscard]] std::vector<const char*> UserKeyNames();

}  // namespace culvert
