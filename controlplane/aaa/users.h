// Users: the local users, read once at start; immutable after that, so any thread may look up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/crypto/secret.h"
#include "proto/config/load.h"

namespace culvert {

// User holds a password in clear or an NT hash (16 octets), never both.
struct User {
  Secret password;
  Secret nt_hash;
  CallGrants grants = {};
};

class Users {
 public:
  // Insert is false when there is a user of that name.
  bool Insert(std::string name, User user);
  // SetAny sets the user that every other name is (chap-secrets: client `*`).
  void SetAny(User user) { any_ = std::move(user); }

  struct Found {
    const User* user = nullptr;  // borrowed from Users; null: nobody
    std::string_view name;       // under which it was found; borrows `name` of Find()
  };
  // Find looks for `name`, then for what follows the `\` of DOMAIN\user, then for any.
  [[nodiscard]] Found Find(std::string_view name) const;

  [[nodiscard]] size_t size() const { return users_.size() + (any_ ? 1 : 0); }
  // FixedAddresses lists them with their users, for reservation.
  [[nodiscard]] std::vector<uint32_t> FixedAddresses() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, User, Hash, std::equal_to<>> users_;
  std::optional<User> any_;
};

// ReadUsersFile reads our own format (README.md) into `users`. Problems name file and line, never
// a secret; with problems `users` is not to be used.
std::vector<config::Problem> ReadUsersFile(const std::string& path, Users& users);

// ReadChapSecrets reads pppd's format (pppd(8), AUTHENTICATION). Lines for another server than
// `server_name` or `*` are left out.
std::vector<config::Problem> ReadChapSecrets(const std::string& path, std::string_view server_name,
                                             Users& users);

}  // namespace culvert
