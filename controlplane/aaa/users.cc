#include "controlplane/aaa/users.h"

namespace culvert {

bool Users::Insert(std::string name, User user) {
  return users_.try_emplace(std::move(name), std::move(user)).second;
}

Users::Found Users::Find(std::string_view name) const {
  if (auto it = users_.find(name); it != users_.end()) {
    return {.user = &it->second, .name = name};
  }
  if (size_t backslash = name.find('\\'); backslash != std::string_view::npos) {
    std::string_view bare = name.substr(backslash + 1);
    if (auto it = users_.find(bare); it != users_.end()) {
      return {.user = &it->second, .name = bare};
    }
  }
  return {.user = any_ ? &*any_ : nullptr, .name = name};
}

std::vector<uint32_t> Users::FixedAddresses() const {
  std::vector<uint32_t> addresses;
  for (const auto& [name, user] : users_) {
    if (user.grants.fixed_address != 0) {
      addresses.push_back(user.grants.fixed_address);
    }
  }
  return addresses;
}

}  // namespace culvert
