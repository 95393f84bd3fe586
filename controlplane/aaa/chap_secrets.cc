// pppd's chap-secrets: client, server, secret, addresses.
#include <absl/strings/str_cat.h>

#include <map>
#include <string>

#include "controlplane/aaa/secret_file.h"
#include "controlplane/aaa/secrets_lexer.h"
#include "controlplane/aaa/users.h"
#include "proto/config/address.h"

namespace culvert {

namespace {

constexpr size_t kMaxSecretLen = 255;

class ChapSecrets {
 public:
  ChapSecrets(std::string path, std::string_view server_name)
      : path_(std::move(path)), server_name_(server_name) {}

  void Read(std::string_view text) {
    SecretsLexer lexer(text);
    while (std::optional<SecretsLine> line = lexer.Next()) {
      ReadLine(*line);
      for (std::string& word : line->words) {
        OPENSSL_cleanse(word.data(), word.size());
      }
    }
  }
  void Report(int line, std::string key, std::string message) {
    problems_.push_back(
        {.file = path_, .line = line, .key = std::move(key), .message = std::move(message)});
  }
  std::vector<config::Problem> Finish(Users& users) {
    for (auto& [name, entry] : entries_) {
      CheckAddress(entry);
      if (name == "*") {
        users.SetAny(std::move(entry.user));
      } else {
        users.Insert(name, std::move(entry.user));  // the users file was first
      }
    }
    return std::move(problems_);
  }

 private:
  struct Entry {
    int line = 0;
    bool exact_server = false;
    User user;
  };

  void ReadLine(const SecretsLine& line) {
    const std::vector<std::string>& words = line.words;
    if (line.open_quote) {
      return Report(line.number, "", "a quote is not closed before the end of the file");
    }
    if (words.size() < 3) {
      return Report(line.number, "", "needs client, server and secret");
    }
    bool exact = words[1] == server_name_;
    if (!exact && words[1] != "*") {
      return;  // for another server
    }
    Entry entry{.line = line.number, .exact_server = exact, .user = {}};
    if (!ReadSecret(words[2], line.number, entry.user) || !ReadAddresses(line, entry.user)) {
      return;
    }
    auto it = entries_.find(words[0]);
    if (it == entries_.end()) {
      entries_.emplace(words[0], std::move(entry));
    } else if (entry.exact_server && !it->second.exact_server) {
      it->second = std::move(entry);  // pppd: the best match wins, among equals the first
    }
  }

  bool ReadSecret(const std::string& word, int line, User& user) {
    if (word.starts_with('@')) {
      Report(line, "secret", "secrets in other files (@file) are not supported; write it here");
      return false;
    }
    if (word.empty() || word.size() > kMaxSecretLen) {
      Report(line, "secret", "must have 1 to 255 octets");
      return false;
    }
    user.password = Secret({reinterpret_cast<const uint8_t*>(word.data()), word.size()});
    return true;
  }

  bool ReadAddresses(const SecretsLine& line, User& user) {
    size_t end = 3;
    while (end < line.words.size() && line.words[end] != "--") {
      ++end;  // what follows "--" are pppd's options
    }
    if (end == 3 || (end == 4 && line.words[3] == "*")) {
      return true;
    }
    std::optional<uint32_t> address = config::ParseIpv4(line.words[3]);
    if (end > 4 || !address || *address == 0) {
      Report(line.number, "addresses",
             "must be *, nothing, or one IPv4 address such as 192.0.2.1; lists, networks, "
             "exclusions and pool names are not supported");
      return false;
    }
    if (line.words[0] == "*") {
      Report(line.number, "addresses", "one address cannot serve every client");
      return false;
    }
    user.grants.fixed_address = *address;
    return true;
  }

  void CheckAddress(const Entry& entry) {
    if (entry.user.grants.fixed_address == 0) {
      return;
    }
    if (auto [it, fresh] = addresses_.emplace(entry.user.grants.fixed_address, entry.line);
        !fresh) {
      Report(entry.line, "addresses",
             absl::StrCat(config::FormatIpv4(entry.user.grants.fixed_address),
                          " is the address of the client at line ", it->second, " too"));
    }
  }

  std::string path_;
  std::string_view server_name_;
  std::map<std::string, Entry> entries_;
  std::map<uint32_t, int> addresses_;
  std::vector<config::Problem> problems_;
};

}  // namespace

std::vector<config::Problem> ReadChapSecrets(const std::string& path, std::string_view server_name,
                                             Users& users) {
  ChapSecrets file(path, server_name);
  Secret contents;
  if (absl::Status status = ReadSecretFile(path, contents); !status.ok()) {
    std::string remedy = absl::IsPermissionDenied(status) ? absl::StrCat(" ", path) : "";
    file.Report(0, "", absl::StrCat(std::string(status.message()), remedy));
    return file.Finish(users);
  }
  file.Read({reinterpret_cast<const char*>(contents.octets().data()), contents.octets().size()});
  return file.Finish(users);
}

}  // namespace culvert
