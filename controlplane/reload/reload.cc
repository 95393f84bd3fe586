#include "controlplane/reload/reload.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "controlplane/reload/config_keys.h"
#include "controlplane/reload/reloadable_keys.h"

namespace culvert {

namespace {

constexpr size_t kMaxLogged = 100;       // problems of one reading
constexpr size_t kMaxMessageLen = 4000;  // gRPC has room for about twice as much in an error

bool IsReloadable(const std::string& key) {
  const auto paths = ReloadableKeys();
  return std::any_of(paths.begin(), paths.end(),
                     [&](std::string_view path) { return CoversKey(path, key); });
}

std::string Joined(const std::vector<std::string>& keys) {
  return keys.empty() ? "nothing" : absl::StrJoin(keys, ", ");
}

}  // namespace

Reload::Reload(config::v1::Config held, Parts parts)
    : parts_(std::move(parts)), held_(std::move(held)) {}

absl::StatusOr<Reload::Outcome> Reload::Run() {
  absl::MutexLock lock(&mutex_);
  config::Loaded loaded = parts_.read();
  if (!loaded.ok()) {
    return Refuse(loaded.problems);
  }
  // What waits for a restart must not show in what is applied now, nor contradict it.
  config::v1::Config merged = held_;
  for (const std::string_view path : ReloadableKeys()) {
    CopyKey(path, loaded.config, &merged);
  }
  std::vector<config::Problem> problems = config::Check(
      merged, "as long as what needs a restart is not in force", config::Process::kControlplane);
  if (problems.empty()) {
    problems = parts_.read_users();
  }
  if (!problems.empty()) {
    return Refuse(problems);
  }
  Outcome outcome;
  for (std::string& key : ChangedKeys(held_, loaded.config)) {
    (IsReloadable(key) ? outcome.applied : outcome.needs_restart).push_back(std::move(key));
  }
  parts_.apply(merged);
  held_ = std::move(merged);
  ++num_done_;
  num_pending_ = outcome.needs_restart.size();
  spdlog::info("configuration read again: applied {}; needs a restart: {}", Joined(outcome.applied),
               Joined(outcome.needs_restart));
  return outcome;
}

absl::Status Reload::Refuse(const std::vector<config::Problem>& problems) {
  ++num_refused_;
  std::string message;
  for (size_t i = 0; i < problems.size(); ++i) {
    const std::string line = config::Format(problems[i]);
    if (i < kMaxLogged) {
      spdlog::error("{} (the configuration stays as it was)", line);
    }
    if (message.size() + line.size() > kMaxMessageLen) {
      absl::StrAppend(&message, "\n", problems.size() - i,
                      " more; culvert-controlplane --check lists them");
      break;
    }
    absl::StrAppend(&message, message.empty() ? "" : "\n", line);
  }
  return absl::InvalidArgumentError(message);
}

void Reload::AddReadings(std::vector<Reading>& readings) const {
  constexpr const char* kReloads = "configuration_reloads_total";
  constexpr const char* kHelp = "Reloads of the configuration, by result";
  readings.push_back(
      {.name = kReloads, .help = kHelp, .value = num_done_, .labels = {{"result", "done"}}});
  readings.push_back(
      {.name = kReloads, .help = kHelp, .value = num_refused_, .labels = {{"result", "refused"}}});
  readings.push_back({.name = "configuration_needs_restart",
                      .help = "Keys that the last reload has left for a restart",
                      .counter = false,
                      .value = num_pending_});
}

}  // namespace culvert
