// pppd's chap-secrets: client, server, secret, addresses.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "controlplane/aaa/secret_file.h"
#include "controlplane/aaa/users/address_rules.h"
#include "controlplane/aaa/users/secrets_lexer.h"
#include "controlplane/aaa/users/users.h"
#include "controlplane/logging/printable.h"
#include "proto/config/address/address.h"

namespace culvert {

namespace {

constexpr size_t kMaxSecretLen = 255;
constexpr size_t kMaxWarnings = 1000;  // a file of another kind must not fill the log

Secret SecretOf(std::string_view text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
std::string_view TextOf(const Secret& secret) {
  return {reinterpret_cast<const char*>(secret.octets().data()), secret.octets().size()};
}
void Wipe(SecretsLine& line) {
  for (std::string& word : line.words) {
    OPENSSL_cleanse(word.data(), word.size());
  }
}

class ChapSecrets {
 public:
  ChapSecrets(const std::string& path, std::string_view server_name, uint32_t gateway, Users& users)
      : path_(path), server_name_(server_name), gateway_(gateway), users_(users) {}

  void Read() {
    Secret contents;
    users_.AddSource(path_);
    if (absl::Status status = ReadSecretFile(path_, contents); !status.ok()) {
      std::string remedy = absl::IsPermissionDenied(status) ? absl::StrCat(" ", path_) : "";
      problems_.errors.push_back({.file = path_,
                                  .line = 0,
                                  .key = "",
                                  .message = absl::StrCat(std::string(status.message()), remedy)});
      return;
    }
    SecretsLexer lexer(TextOf(contents));
    while (std::optional<SecretsLine> line = lexer.Next()) {
      ReadLine(*line);
      Wipe(*line);
    }
    Finish();
  }
  UserProblems TakeProblems() { return std::move(problems_); }

 private:
  struct Entry {
    int line = 0;
    bool exact_server = false;
    User user;
  };

  void Warn(int line, std::string key, std::string message) {
    if (problems_.warnings.size() < kMaxWarnings) {
      problems_.warnings.push_back(
          {.file = path_, .line = line, .key = std::move(key), .message = std::move(message)});
    }
  }

  void ReadLine(const SecretsLine& line) {
    const std::vector<std::string>& words = line.words;
    if (line.open_quote) {
      return Warn(line.number, "", "a quote is not closed before the end of the file");
    }
    if (words.size() < 3) {
      return Warn(line.number, "", "needs client, server and secret");
    }
    bool exact = words[1] == server_name_;
    if (!exact && words[1] != "*") {
      return;  // for another server
    }
    Entry entry{.line = line.number, .exact_server = exact, .user = {}};
    if (!ReadSecret(words[2], line.number, entry.user) || !ReadAddresses(line, entry.user)) {
      return;
    }
    auto [it, fresh] = entries_.try_emplace(words[0], std::move(entry));
    // pppd: the best match wins, among equals the first.
    if (!fresh && exact && !it->second.exact_server) {
      it->second = std::move(entry);
    }
  }

  bool ReadSecret(const std::string& word, int line, User& user) {
    if (word.starts_with("@/")) {
      return ReadSecretElsewhere(word.substr(1), line, user);
    }
    if (word.empty() || word.size() > kMaxSecretLen) {
      Warn(line, "secret", "must have 1 to 255 octets");
      return false;
    }
    user.password = SecretOf(word);
    return true;
  }

  // ReadSecretElsewhere: the secret is the first word of another file.
  bool ReadSecretElsewhere(const std::string& path, int line, User& user) {
    Secret contents;
    users_.AddSource(path);
    if (absl::Status status = ReadSecretFile(path, contents); !status.ok()) {
      Warn(line, "secret",
           absl::StrCat("the file that @ names, ", Printable(path), ", ",
                        std::string(status.message())));
      return false;
    }
    SecretsLexer lexer(TextOf(contents));
    std::optional<SecretsLine> first = lexer.Next();
    const bool good = first && !first->open_quote && !first->words[0].empty() &&
                      first->words[0].size() <= kMaxSecretLen;
    if (good) {
      user.password = SecretOf(first->words[0]);
    } else {
      Warn(line, "secret",
           absl::StrCat("the file that @ names, ", Printable(path),
                        ", does not begin with a word of 1 to ", kMaxSecretLen, " octets"));
    }
    if (first) {
      Wipe(*first);
    }
    return good;
  }

  bool ReadAddresses(const SecretsLine& line, User& user) {
    size_t end = 3;
    while (end < line.words.size() && line.words[end] != "--") {
      ++end;  // what follows "--" are pppd's options
    }
    if (end == 3) {
      return true;
    }
    CallGrants grants;
    std::string problem = ApplyAddressRules(std::span(line.words).subspan(3, end - 3), grants);
    if (problem.empty() && grants.fixed_address != 0 && line.words[0] == "*") {
      problem = "one address cannot serve every client";
    }
    if (problem.empty() && grants.fixed_address != 0 && grants.fixed_address == gateway_) {
      problem = "is ppp.gateway_address, which no client can have";
    }
    if (!problem.empty()) {
      Warn(line.number, "addresses", std::move(problem));
      return false;
    }
    if (grants.allowed_addresses) {
      user.own_grants = std::make_unique<CallGrants>(std::move(grants));
    }
    return true;
  }

  void Finish() {
    DropRepeatedAddresses();
    users_.ReserveRoom(users_.size() + entries_.size());
    while (!entries_.empty()) {
      auto node = entries_.extract(entries_.begin());
      if (node.key() == "*") {
        users_.SetAny(std::move(node.mapped().user));
      } else {
        users_.Insert(std::move(node.key()), std::move(node.mapped().user));  // or was there first
      }
    }
  }

  // DropRepeatedAddresses: among lines with one fixed address the first has it.
  void DropRepeatedAddresses() {
    std::vector<std::pair<int, const std::string*>> fixed;  // line, name
    for (const auto& [name, entry] : entries_) {
      if (entry.user.grants().fixed_address != 0) {
        fixed.emplace_back(entry.line, &name);
      }
    }
    std::sort(fixed.begin(), fixed.end());
    std::unordered_map<uint32_t, int> lines;
    for (const auto& [line, name] : fixed) {
      const auto entry = entries_.find(*name);
      const uint32_t address = entry->second.user.grants().fixed_address;
      if (auto [it, fresh] = lines.emplace(address, line); !fresh) {
        Warn(line, "addresses",
             absl::StrCat(config::FormatIpv4(address), " is the address of the client at line ",
                          it->second, " too"));
        entries_.erase(entry);
      }
    }
  }

  const std::string path_;
  const std::string_view server_name_;
  const uint32_t gateway_;
  Users& users_;
  std::unordered_map<std::string, Entry> entries_;
  UserProblems problems_;
};

}  // namespace

UserProblems ReadChapSecrets(const std::string& path, std::string_view server_name,
                             uint32_t gateway, Users& users) {
  ChapSecrets file(path, server_name, gateway, users);
  file.Read();
  return file.TakeProblems();
}

}  // namespace culvert
