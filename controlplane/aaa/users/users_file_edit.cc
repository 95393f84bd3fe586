#include "controlplane/aaa/users/users_file_edit.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <unordered_map>
#include <vector>
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "controlplane/crypto/mschap.h"

namespace culvert {

namespace {

constexpr size_t kMaxPasswordLen = 255;  // as the reader of the file takes

std::span<const uint8_t> OctetsOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Quoted is a TOML basic string (TOML 1.0, String).
std::string Quoted(std::span<const uint8_t> utf8) {
  std::string out;
  out.reserve(6 * utf8.size() + 2);  // never moves: what moves leaves a copy behind
  out.push_back('"');
  for (const uint8_t octet : utf8) {
    if (octet < 0x20 || octet == 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04X", octet);
      continue;
    }
    if (octet == '"' || octet == '\\') {
      out.push_back('\\');
    }
    out.push_back(static_cast<char>(octet));
  }
  out.push_back('"');
  return out;
}

class Editor {
 public:
  explicit Editor(std::string_view text) : text_(text) {
    line_starts_.push_back(0);
    for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
      line_starts_.push_back(at + 1);
    }
  }

  void SetPassword(const toml::table& user, PasswordEdit& edit) {
    const toml::node* clear = user.get("password");
    const toml::node* node = clear != nullptr ? clear : user.get("nt_hash");
    const toml::value<std::string>* value = node != nullptr ? node->as_string() : nullptr;
    if (value == nullptr) {
      edit.status = absl::AbortedError("the user has no password in the file");
      return;
    }
    if (!IsOldPassword(value->get(), clear != nullptr, edit)) {
      edit.status = absl::AbortedError("the file has another password by now");
      return;
    }
    if (clear != nullptr && edit.password.octets().size() > kMaxPasswordLen) {
      edit.status = absl::InvalidArgumentError("the password is longer than 255 octets");
      return;
    }
    Replace(*node, clear != nullptr ? Quoted(edit.password.octets()) : HashText(edit));
    if (const toml::node* expired = user.get("expired")) {
      Unmark(*expired);
    }
  }

  Secret Finish() {
    std::sort(changes_.begin(), changes_.end(),
              [](const Change& a, const Change& b) { return a.first < b.first; });
    size_t len = text_.size();
    for (const Change& change : changes_) {
      len += change.text.size();
    }
    std::string out;
    out.reserve(len);
    size_t done = 0;
    for (Change& change : changes_) {
      out.append(text_.substr(done, change.first - done));
      out.append(change.text);
      OPENSSL_cleanse(change.text.data(), change.text.size());
      done = change.end;
    }
    out.append(text_.substr(done));
    Secret secret(OctetsOf(out));
    OPENSSL_cleanse(out.data(), out.size());
    return secret;
  }

 private:
  struct Change {
    size_t first, end;
    std::string text;
  };

  static bool IsOldPassword(const std::string& text, bool is_clear, const PasswordEdit& edit) {
    if (!is_clear) {
      std::string hash = absl::HexStringToBytes(text);
      const bool same = edit.old_nt_hash.Equals(OctetsOf(hash));
      OPENSSL_cleanse(hash.data(), hash.size());
      return same;
    }
    const auto hash = crypto::NtPasswordHash(OctetsOf(text));
    return hash && edit.old_nt_hash.Equals(hash->octets());
  }

  static std::string HashText(const PasswordEdit& edit) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string text;
    text.reserve(2 * edit.nt_hash.octets().size() + 2);  // no copy is left behind
    text.push_back('"');
    for (const uint8_t octet : edit.nt_hash.octets()) {
      text.push_back(kDigits[octet >> 4]);
      text.push_back(kDigits[octet & 0xf]);
    }
    text.push_back('"');
    return text;
  }

  // OffsetOf: toml++ counts lines and code points from 1.
  [[nodiscard]] size_t OffsetOf(const toml::source_position& position) const {
    if (position.line == 0 || position.line > line_starts_.size()) {
      return text_.size();
    }
    size_t at = line_starts_[position.line - 1];
    for (uint32_t column = 1; column < position.column && at < text_.size(); ++column) {
      ++at;
      while (at < text_.size() && (static_cast<uint8_t>(text_[at]) & 0xc0) == 0x80) {
        ++at;
      }
    }
    return at;
  }

  void Replace(const toml::node& node, std::string text) {
    changes_.push_back({.first = OffsetOf(node.source().begin),
                        .end = OffsetOf(node.source().end),
                        .text = std::move(text)});
  }

  // Unmark takes the whole line away when nothing else is on it.
  void Unmark(const toml::node& expired) {
    const size_t number = expired.source().begin.line;
    const size_t first = line_starts_[number - 1];
    const size_t end = number < line_starts_.size() ? line_starts_[number] : text_.size();
    absl::string_view line =
        absl::StripAsciiWhitespace(absl::string_view(text_.data() + first, end - first));
    if (!absl::ConsumePrefix(&line, "expired")) {
      return Replace(expired, "false");
    }
    line = absl::StripLeadingAsciiWhitespace(line);
    absl::ConsumePrefix(&line, "=");
    if (absl::StripLeadingAsciiWhitespace(line) == "true") {
      changes_.push_back({.first = first, .end = end, .text = ""});
    } else {
      Replace(expired, "false");  // a comment stands behind it
    }
  }

  const std::string_view text_;
  std::vector<size_t> line_starts_;
  std::vector<Change> changes_;
};

}  // namespace

Secret EditUsersFile(std::string_view text, std::span<PasswordEdit> edits) {
  std::unordered_map<std::string_view, PasswordEdit*> wanted;
  for (PasswordEdit& edit : edits) {
    // A second one for the same user was proved with a password that is the old one no more.
    edit.status = wanted.try_emplace(edit.name, &edit).second
                      ? absl::NotFoundError("the user is not in the file")
                      : absl::AbortedError("is being changed already");
  }
  Editor editor(text);
  const toml::parse_result parsed = toml::parse(text);
  const toml::array* users = parsed ? parsed.table()["user"].as_array() : nullptr;
  for (size_t i = 0; users != nullptr && i < users->size(); ++i) {
    const toml::table* user = users->get(i)->as_table();
    const toml::node* name = user != nullptr ? user->get("name") : nullptr;
    if (name == nullptr || !name->is_string()) {
      continue;
    }
    if (const auto found = wanted.find(name->as_string()->get()); found != wanted.end()) {
      found->second->status = absl::OkStatus();
      editor.SetPassword(*user, *found->second);
    }
  }
  return editor.Finish();
}

}  // namespace culvert
