// The users file: TOML, one [[user]] table each, with name, password or nt_hash, address, rates
// and routes.
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <cctype>
#include <string>
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "controlplane/aaa/secret_file.h"
#include "controlplane/aaa/users.h"
#include "controlplane/logging/printable.h"
#include "proto/config/address.h"

namespace culvert {

namespace {

constexpr size_t kMaxNameLen = 255;      // a CHAP name or PAP Peer-ID has no more
constexpr size_t kMaxPasswordLen = 255;  // nor has a PAP Password
constexpr char kKeys[] =
    "allowed: name, password, nt_hash, address, upstream_kbps, downstream_kbps, routes";
constexpr int64_t kMaxKbps = 1000000000;
constexpr size_t kMaxRoutes = 16;

int LineOf(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

Secret SecretOf(const std::string& text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

class UsersFile {
 public:
  UsersFile(std::string path, Users& users) : path_(std::move(path)), users_(users) {}

  void Read(std::string_view text) {
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
        for (const toml::node& item : *array) {
          ReadUser(*item.as_table());
        }
      }
    }
  }
  std::vector<config::Problem> TakeProblems() { return std::move(problems_); }
  void Report(int line, std::string key, std::string message) {
    problems_.push_back(
        {.file = path_, .line = line, .key = std::move(key), .message = std::move(message)});
  }

 private:
  void ReadUser(const toml::table& table) {
    size_t before = problems_.size();
    User user;
    std::string name;
    for (const auto& [key, node] : table) {
      const toml::value<std::string>* text = node.as_string();
      if (key.str() == "upstream_kbps") {
        user.grants.upstream_bps = ReadRate("user.upstream_kbps", node);
      } else if (key.str() == "downstream_kbps") {
        user.grants.downstream_bps = ReadRate("user.downstream_kbps", node);
      } else if (key.str() == "routes") {
        ReadRoutes(node, user);
      } else if (text == nullptr) {
        Report(LineOf(node), Printable(key.str()), absl::StrCat("must be text in quotes; ", kKeys));
      } else {
        ReadKey(key.str(), LineOf(node), text->get(), name, user);
      }
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

  void ReadKey(std::string_view key, int line, const std::string& text, std::string& name,
               User& user) {
    if (key == "name") {
      name = text;
      if (text.empty() || text.size() > kMaxNameLen) {
        Report(line, "user.name", "must have 1 to 255 octets");
      }
    } else if (key == "password") {
      user.password = SecretOf(text);
      if (text.empty() || text.size() > kMaxPasswordLen) {
        Report(line, "user.password", "must have 1 to 255 octets");
      }
    } else if (key == "nt_hash") {
      user.nt_hash = ReadNtHash(line, text);
    } else if (key == "address") {
      user.grants.fixed_address = ReadAddress(line, text);
    } else {
      Report(line, Printable(key), absl::StrCat("unknown key; ", kKeys));
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

  uint64_t ReadRate(const char* key, const toml::node& node) {
    const toml::value<int64_t>* value = node.as_integer();
    const int64_t kbps = value != nullptr ? value->get() : -1;
    if (kbps < 0 || kbps > kMaxKbps || (kbps > 0 && kbps < 8)) {
      Report(LineOf(node), key, "must be 0 (no limit), or an integer from 8 to 1000000000");
      return 0;
    }
    return static_cast<uint64_t>(kbps) * 1000;
  }

  void ReadRoutes(const toml::node& node, User& user) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->size() > kMaxRoutes) {
      return Report(LineOf(node), "user.routes", "must be an array of at most 16 prefixes");
    }
    for (const toml::node& item : *array) {
      const toml::value<std::string>* text = item.as_string();
      std::optional<config::Ipv4Prefix> prefix;
      if (text != nullptr) {
        prefix = config::ParsePrefix(text->get());
      }
      if (!prefix || prefix->length == 0) {
        Report(LineOf(item), "user.routes",
               "must be IPv4 prefixes with no host bits set, such as 192.0.2.0/24");
      } else {
        user.grants.routes.push_back(*prefix);
      }
    }
  }

  uint32_t ReadAddress(int line, const std::string& text) {
    std::optional<uint32_t> address = config::ParseIpv4(text);
    if (!address || *address == 0) {
      Report(line, "user.address", "must be an IPv4 address such as 192.0.2.1");
      return 0;
    }
    if (auto [it, fresh] = addresses_.emplace(*address, line); !fresh) {
      Report(line, "user.address",
             absl::StrCat(text, " is the address of the user at line ", it->second, " too"));
    }
    return *address;
  }

  std::string path_;
  Users& users_;
  std::vector<config::Problem> problems_;
  std::unordered_map<uint32_t, int> addresses_;
};

}  // namespace

std::vector<config::Problem> ReadUsersFile(const std::string& path, Users& users) {
  UsersFile file(path, users);
  Secret contents;
  if (absl::Status status = ReadSecretFile(path, contents); !status.ok()) {
    std::string remedy = absl::IsPermissionDenied(status) ? absl::StrCat(" ", path) : "";
    file.Report(0, "", absl::StrCat(std::string(status.message()), remedy));
    return file.TakeProblems();
  }
  file.Read({reinterpret_cast<const char*>(contents.octets().data()), contents.octets().size()});
  return file.TakeProblems();
}

}  // namespace culvert
