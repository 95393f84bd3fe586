#include "controlplane/aaa/users/users.h"

#include <sys/stat.h>

namespace culvert {

const CallGrants& User::grants() const {
  static const CallGrants none;
  return own_grants != nullptr ? *own_grants : none;
}

CallGrants& User::edit_grants() {
  if (own_grants == nullptr) {
    own_grants = std::make_unique<CallGrants>();
  }
  return *own_grants;
}

FileStamp StampOf(const std::string& path) {
  FileStamp stamp{.path = path};
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) {
    stamp.modified_ns = info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
    stamp.size = info.st_size;
    stamp.inode = info.st_ino;
  }
  return stamp;
}

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
    if (user.grants().fixed_address != 0) {
      addresses.push_back(user.grants().fixed_address);
    }
  }
  return addresses;
}

std::vector<config::Ipv6Prefix> Users::FixedPrefixes() const {
  std::vector<config::Ipv6Prefix> prefixes;
  for (const auto& [name, user] : users_) {
    for (const auto& prefix : {user.grants().ipv6.prefix, user.grants().ipv6.delegated_prefix}) {
      if (prefix) {
        prefixes.push_back(*prefix);
      }
    }
  }
  return prefixes;
}

}  // namespace culvert
