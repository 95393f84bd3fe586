// Users: a table of local users. Immutable once it is read, so any thread may look up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/crypto/secret.h"
#include "proto/config/load.h"

namespace culvert {

// User holds a password in clear or an NT hash (16 octets), never both. It is small: there may be
// a million, and most have nothing of their own.
struct User {
  Secret password = {};
  Secret nt_hash = {};
  bool expired = false;                         // the password: right, it still does not let in
  std::unique_ptr<CallGrants> own_grants = {};  // null: none

  [[nodiscard]] const CallGrants& grants() const;
  // edit_grants makes them when there are none.
  CallGrants& edit_grants();
};

// FileStamp tells whether a file has changed since it was read.
struct FileStamp {
  std::string path;
  int64_t modified_ns = 0;
  int64_t size = -1;  // -1: there is no such file
  uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;
};
[[nodiscard]] FileStamp StampOf(const std::string& path);

class Users {
 public:
  // Insert is false when there is a user of that name.
  bool Insert(std::string name, User user);
  [[nodiscard]] bool Has(std::string_view name) const { return users_.contains(name); }
  void ReserveRoom(size_t num_users) { users_.reserve(num_users); }
  // SetAny sets the user that every other name is (chap-secrets: client `*`).
  void SetAny(User user) { any_ = std::move(user); }

  struct Found {
    const User* user = nullptr;  // borrowed from Users; null: nobody
    std::string_view name;       // under which it was found; borrows `name` of Find()
  };
  // Find looks for `name`, then for what follows the `\` of DOMAIN\user, then for any. O(1).
  [[nodiscard]] Found Find(std::string_view name) const;

  [[nodiscard]] size_t size() const { return users_.size() + (any_ ? 1 : 0); }
  // FixedAddresses lists them, for reservation.
  [[nodiscard]] std::vector<uint32_t> FixedAddresses() const;
  [[nodiscard]] std::vector<config::Ipv6Prefix> FixedPrefixes() const;

  // AddSource is told of each file before it is read.
  void AddSource(const std::string& path) { AddSource(StampOf(path)); }
  void AddSource(FileStamp stamp) { sources_.push_back(std::move(stamp)); }
  [[nodiscard]] const std::vector<FileStamp>& sources() const { return sources_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, User, Hash, std::equal_to<>> users_;
  std::optional<User> any_;
  std::vector<FileStamp> sources_;
};

// UserProblems: with errors the table is not to be used; warnings are lines that were left out.
struct UserProblems {
  std::vector<config::Problem> errors, warnings;
};

// ReadUsersFile reads our own format (README.md) into `users`; every problem is an error. Problems
// name file and line, never a secret. `gateway`: an address that no user may have.
UserProblems ReadUsersFile(const std::string& path, uint32_t gateway, Users& users);
// ReadUsersText is the same for the text of the file, which `path` names in problems.
UserProblems ReadUsersText(std::string_view text, const std::string& path, uint32_t gateway,
                           Users& users);

// ReadChapSecrets reads pppd's format (pppd(8), AUTHENTICATION). Lines for another server than
// `server_name` or `*` are left out, and so are bad ones, with a warning each; an error is what
// keeps the file from being read.
UserProblems ReadChapSecrets(const std::string& path, std::string_view server_name,
                             uint32_t gateway, Users& users);

}  // namespace culvert
