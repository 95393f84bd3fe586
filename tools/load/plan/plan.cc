#include "tools/load/plan/plan.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "controlplane/crypto/mschap.h"
#include "proto/config/toml_reader.h"

namespace culvert::load {

using google::protobuf::FieldDescriptor;

namespace {

constexpr char kDefaults[] = R"(
port = 1723
calls = 1
rate = 100
calls_per_connection = 1
hold_seconds = 0
seconds = 10
setup_timeout_seconds = 60
user = "load%d"
users = 0
auth = "mschap-v2"
mppe = 128
packet_rate = 1
packet_size = 200
direction = "both"
worker_cores = [1]
main_core = 0
idle = "sleep"
memory_mb = 512
)";
constexpr char kCommandLine[] = "command line";

// Quoted is `text` as a TOML string.
std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      out += fmt::format("\\u{:04x}", octet);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// TomlOf: what is neither number nor boolean becomes a string, so that the reader names the key and
// what it wants. Numbers may be written as TOML has them not: .5, 5., 007.
std::string TomlOf(const FieldDescriptor& field, const std::string& text) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    return text == "true" || text == "false" ? text : Quoted(text);
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    int64_t value = 0;
    return absl::SimpleAtoi(text, &value) ? std::to_string(value) : Quoted(text);
  }
  double value = 0;
  const bool is_number = field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE &&
                         text.find_first_not_of("+-.0123456789eE") == std::string::npos &&
                         absl::SimpleAtod(text, &value) && std::isfinite(value);
  return is_number ? fmt::format("{}", value) : Quoted(text);
}

std::string TomlOf(const Flags& flags) {
  std::string toml;
  for (const auto& [key, values] : flags) {
    const FieldDescriptor* field = Plan::descriptor()->FindFieldByName(key);
    if (field->is_repeated()) {
      std::string items;
      for (const std::string& value : values) {
        items += TomlOf(*field, value) + ", ";
      }
      toml += fmt::format("{} = [{}]\n", key, items);
    } else {
      toml += fmt::format("{} = {}\n", key, TomlOf(*field, values.back()));
    }
  }
  return toml;
}

std::string FlagOf(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key.substr(0, key.find('['));
}

class Checker {
 public:
  Checker(const Plan& plan, std::vector<std::string>* problems)
      : plan_(plan), problems_(problems) {}

  void Check() {
    Want(plan_.server_size() > 0, "server", "must be given");
    Want(plan_.rate() > 0 && plan_.rate() <= 1e6, "rate", "must be above 0 and at most 1000000");
    for (const auto& [key, value] :
         {std::pair{"hold_seconds", plan_.hold_seconds()}, std::pair{"seconds", plan_.seconds()}}) {
      Want(value >= 0 && value <= 1e6, key, "must be from 0 to 1000000");
    }
    Want(plan_.setup_timeout_seconds() >= 1 && plan_.setup_timeout_seconds() <= 3600,
         "setup_timeout_seconds", "must be from 1 to 3600");
    Want(plan_.packet_rate() >= 0.001 && plan_.packet_rate() <= 1e5, "packet_rate",
         "must be from 0.001 to 100000");
    CheckUsers();
    CheckDevice();
    CheckLimits();
  }

 private:
  void Want(bool good, const std::string& key, std::string_view text) {
    if (!good) {
      problems_->push_back(fmt::format("{} ({}): {}", key, FlagOf(key), text));
    }
  }
  void CheckUsers() {
    const bool gives_keys =
        plan_.auth() == "mschap" || plan_.auth() == "mschap-v2" || plan_.auth() == "eap-mschapv2";
    const uint32_t bits = plan_.mppe();
    Want(bits == 0 || bits == 40 || bits == 56 || bits == 128, "mppe",
         "must be 0 (none), 40, 56 or 128");
    Want(bits == 0 || gives_keys, "mppe", plan_.auth() + " gives no keys: use --mppe 0");
    Want(!plan_.user().empty() || !plan_.user_file().empty(), "user", "must not be empty");
  }
  void CheckDevice() {
    Want(plan_.device().empty() || plan_.worker_cores_size() > 0, "worker_cores",
         "must be given with a device");
    Want(!plan_.device().empty() || (plan_.device_address().empty() && plan_.gateway().empty()),
         "device", "must be given with device_address or gateway");
  }
  void CheckLimits() {
    Want(!plan_.has_max_loss() || (plan_.max_loss() >= 0 && plan_.max_loss() <= 100), "max_loss",
         "is in percent: from 0 to 100");
    Want(!plan_.has_max_loss() || !plan_.sink().empty(), "max_loss",
         "needs packets, and so --sink");
    Want(!plan_.has_min_setup_rate() || plan_.min_setup_rate() >= 0, "min_setup_rate",
         "must not be negative");
  }

  const Plan& plan_;
  std::vector<std::string>* const problems_;
};

Secret SecretOf(const std::string& text) {
  return Secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string AddAccount(const std::string& user, const std::string& password, Accounts* out) {
  Secret secret = SecretOf(password);
  auto hash = crypto::NtPasswordHash(secret.octets());
  if (!hash) {
    return "the password is not UTF-8, or too long";
  }
  out->accounts.push_back(
      {.user = user, .nt_hash = std::move(*hash), .password = std::move(secret)});
  return "";
}

void ReadUserFile(const std::string& path, Accounts* out) {
  std::ifstream file(path);
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) {
      line.pop_back();  // of a file from Windows
    }
    const size_t colon = line.find(':');
    if (line.empty() || line[0] == '#') {
      continue;
    }
    const std::string wrong = colon == std::string::npos || colon == 0
                                  ? "not user:password"
                                  : AddAccount(line.substr(0, colon), line.substr(colon + 1), out);
    if (!wrong.empty()) {
      out->problem = fmt::format("{}:{}: {}", path, number, wrong);
      return;
    }
  }
  if (out->accounts.empty()) {
    out->problem = fmt::format("{}: cannot be read, or has no user", path);
  }
}

}  // namespace

LoadedPlan LoadPlan(const std::string& path, const Flags& flags, const Flags& defaults) {
  LoadedPlan loaded;
  std::vector<config::Problem> problems;
  config::SourceMap places;
  config::ReadToml(kDefaults, "defaults", false, &loaded.plan, &places, &problems);
  config::ReadToml(TomlOf(defaults), "defaults", false, &loaded.plan, &places, &problems);
  if (!path.empty()) {
    std::ifstream file(path);
    std::error_code error;
    if (!file.is_open() || std::filesystem::is_directory(path, error)) {
      loaded.problems.push_back(path + ": cannot be read");
      return loaded;
    }
    std::ostringstream text;
    text << file.rdbuf();
    config::ReadToml(text.str(), path, true, &loaded.plan, &places, &problems);
  }
  config::ReadToml(TomlOf(flags), kCommandLine, true, &loaded.plan, &places, &problems);
  for (const config::Problem& problem : problems) {
    loaded.problems.push_back(problem.file == kCommandLine
                                  ? FlagOf(problem.key) + ": " + problem.message
                                  : config::Format(problem));
  }
  if (loaded.problems.empty()) {
    Checker(loaded.plan, &loaded.problems).Check();
  }
  return loaded;
}

Accounts MakeAccounts(const Plan& plan) {
  Accounts made;
  if (!plan.user_file().empty()) {
    ReadUserFile(plan.user_file(), &made);
    return made;
  }
  const size_t at = plan.user().find("%d");
  const uint32_t num = at == std::string::npos ? 1
                       : plan.users() != 0     ? plan.users()
                                               : plan.calls();
  made.accounts.reserve(num);
  for (uint32_t i = 0; i < num && made.problem.empty(); ++i) {
    std::string user = plan.user();
    if (at != std::string::npos) {
      user.replace(at, 2, std::to_string(i));
    }
    made.problem = AddAccount(user, plan.password(), &made);
  }
  return made;
}

client_role::Wishes WishesOf(const Plan& plan) {
  namespace ccp = wire::ppp::ccp;
  client_role::Wishes wishes;
  const std::string& auth = plan.auth();
  wishes.method = auth == "pap"         ? AuthMethod::kPap
                  : auth == "chap-md5"  ? AuthMethod::kChapMd5
                  : auth == "mschap"    ? AuthMethod::kMsChap
                  : auth == "mschap-v2" ? AuthMethod::kMsChapV2
                                        : AuthMethod::kEap;
  wishes.eap_type = auth == "eap-md5" ? wire::eap::kMd5Challenge : wire::eap::kMsChapV2;
  wishes.mppe = plan.mppe() == 40 ? ccp::k40Bit : plan.mppe() == 56 ? ccp::k56Bit : ccp::k128Bit;
  wishes.stateful = plan.stateful();
  return wishes;
}

}  // namespace culvert::load
