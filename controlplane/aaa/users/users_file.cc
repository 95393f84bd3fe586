// The users file: TOML, one [[user]] table each. What a key may hold stands in kKeys.
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <cctype>
#include <string>
#include <unordered_map>
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "controlplane/aaa/secret_file.h"
#include "controlplane/aaa/users/user_keys.h"
#include "controlplane/aaa/users/users.h"
#include "controlplane/logging/printable.h"
#include "proto/config/address/address.h"

namespace culvert {

namespace {

constexpr size_t kMaxNameLen = 255;      // a CHAP name or PAP Peer-ID has no more
constexpr size_t kMaxPasswordLen = 255;  // nor has a PAP Password

int LineOf(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

Secret SecretOf(const std::string& text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

class UsersFile {
 public:
  UsersFile(std::string path, uint32_t gateway, Users& users)
      : path_(std::move(path)), gateway_(gateway), users_(users) {}

  void Read() {
    Secret contents;
    users_.AddSource(path_);
    if (absl::Status status = ReadSecretFile(path_, contents); !status.ok()) {
      std::string remedy = absl::IsPermissionDenied(status) ? absl::StrCat(" ", path_) : "";
      return Report(0, "", absl::StrCat(std::string(status.message()), remedy));
    }
    Parse({reinterpret_cast<const char*>(contents.octets().data()), contents.octets().size()});
  }
  void Parse(std::string_view text) {
    toml::parse_result result = toml::parse(text, path_);
    if (!result) {
      // toml++'s own text may quote the file, so it is not repeated.
      return Report(static_cast<int>(result.error().source().begin.line), "",
                    "is not valid TOML here (text needs quotes, a user starts with [[user]])");
    }
    for (const auto& [key, node] : result.table()) {
      const toml::array* array = node.as_array();
      if (key.str() != "user") {
        Report(LineOf(node), std::string(key.str()), "unknown key; allowed: [[user]]");
      } else if (array == nullptr || !array->is_homogeneous<toml::table>()) {
        Report(LineOf(node), "user", "must be written as [[user]], one for each user");
      } else {
        users_.ReserveRoom(array->size());
        for (const toml::node& item : *array) {
          ReadUser(*item.as_table());
        }
      }
    }
  }
  UserProblems TakeProblems() { return {.errors = std::move(problems_), .warnings = {}}; }

 private:
  void Report(int line, std::string key, std::string message) {
    problems_.push_back(
        {.file = path_, .line = line, .key = std::move(key), .message = std::move(message)});
  }

  void ReadUser(const toml::table& table) {
    size_t before = problems_.size();
    User user;
    std::string name;
    for (const auto& [key, node] : table) {
      ReadKey(key.str(), node, name, user);
    }
    if (!table.contains("name")) {
      Report(LineOf(table), "user.name", "is missing");
    }
    if (table.contains("password") == table.contains("nt_hash")) {
      Report(LineOf(table), "user", "needs either password or nt_hash");
    }
    if (problems_.size() == before && !users_.Insert(name, std::move(user))) {
      Report(LineOf(table), "user.name", absl::StrCat("\"", Printable(name), "\" is there twice"));
    }
  }

  void ReadKey(std::string_view key, const toml::node& node, std::string& name, User& user) {
    if (key == "expired") {
      return ReadExpired(node, user);
    }
    const bool credential = key == "name" || key == "password" || key == "nt_hash";
    if (!credential) {
      return ReadGrant(key, node, user);
    }
    const toml::value<std::string>* value = node.as_string();
    const std::string shown = absl::StrCat("user.", std::string(key));
    if (value == nullptr) {
      return Report(LineOf(node), shown, "must be text in quotes");
    }
    const std::string& text = value->get();
    if (key == "nt_hash") {
      user.nt_hash = ReadNtHash(LineOf(node), text);
      return;
    }
    if (text.empty() || text.size() > (key == "name" ? kMaxNameLen : kMaxPasswordLen)) {
      Report(LineOf(node), shown, "must have 1 to 255 octets");
    }
    if (key == "name") {
      name = text;
    } else {
      user.password = SecretOf(text);
    }
  }

  void ReadExpired(const toml::node& node, User& user) {
    const toml::value<bool>* value = node.as_boolean();
    if (value == nullptr) {
      return Report(LineOf(node), "user.expired", "must be true or false");
    }
    user.expired = value->get();
  }

  void ReadGrant(std::string_view key, const toml::node& node, User& user) {
    const UserKey* known = FindUserKey(key);
    if (known == nullptr) {
      return Report(LineOf(node), Printable(key),
                    absl::StrCat("unknown key; allowed: name, password, nt_hash, expired, ",
                                 absl::StrJoin(UserKeyNames(), ", ")));
    }
    if (!known->read(node, user.edit_grants())) {
      return Report(LineOf(node), absl::StrCat("user.", known->name),
                    absl::StrCat("must be ", known->allowed));
    }
    if (key == "address") {
      CheckAddress(LineOf(node), user.grants().fixed_address);
    }
  }

  Secret ReadNtHash(int line, const std::string& text) {
    bool hex = text.size() == 32;
    for (char c : text) {
      hex = hex && std::isxdigit(static_cast<unsigned char>(c)) != 0;
    }
    if (!hex) {
      Report(line, "user.nt_hash", "must be 32 hexadecimal digits (MD4 of the UTF-16 password)");
      return {};
    }
    std::string octets = absl::HexStringToBytes(text);
    Secret hash = SecretOf(octets);
    OPENSSL_cleanse(octets.data(), octets.size());
    return hash;
  }

  void CheckAddress(int line, uint32_t address) {
    if (address == gateway_) {
      Report(line, "user.address", "is ppp.gateway_address, which no client can have");
    }
    if (auto [it, fresh] = addresses_.emplace(address, line); !fresh) {
      Report(line, "user.address",
             absl::StrCat(config::FormatIpv4(address), " is the address of the user at line ",
                          it->second, " too"));
    }
  }

  const std::string path_;
  const uint32_t gateway_;
  Users& users_;
  std::vector<config::Problem> problems_;
  std::unordered_map<uint32_t, int> addresses_;
};

}  // namespace

UserProblems ReadUsersText(std::string_view text, const std::string& path, uint32_t gateway,
                           Users& users) {
  UsersFile file(path, gateway, users);
  file.Parse(text);
  return file.TakeProblems();
}

UserProblems ReadUsersFile(const std::string& path, uint32_t gateway, Users& users) {
  UsersFile file(path, gateway, users);
  file.Read();
  return file.TakeProblems();
}

}  // namespace culvert
