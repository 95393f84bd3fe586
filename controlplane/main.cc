// culvert-controlplane: see README.md.
#include <absl/strings/str_join.h>
#include <pthread.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "controlplane/control_plane.h"
#include "controlplane/crypto/primitives.h"
#include "controlplane/radius/settings.h"
#include "controlplane/settings.h"
#include "proto/config/load.h"

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr unsigned kStopSeconds = 5;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "culvert-controlplane: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

int ReportProblems(const std::vector<culvert::config::Problem>& problems) {
  for (const culvert::config::Problem& problem : problems) {
    std::fprintf(stderr, "%s\n", culvert::config::Format(problem).c_str());
  }
  return kExitUsage;
}

void StartLog(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("culvert-controlplane"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::trace);
}

// RaiseFileLimit gives how many control connections there may be: each is a descriptor, and gRPC,
// the metrics and the log need some too.
uint32_t RaiseFileLimit(uint32_t max_connections) {
  constexpr uint64_t kOthers = 256;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return max_connections;
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  uint64_t room = limit.rlim_max > 2 * kOthers ? limit.rlim_max - kOthers : limit.rlim_max / 2;
  if (room >= max_connections) {
    return max_connections;
  }
  spdlog::warn(
      "only {} files may be open: {} control connections instead of {} (pptp.max_connections); "
      "raise `ulimit -Hn` (LimitNOFILE= in systemd) to {}",
      limit.rlim_max, room, max_connections, max_connections + kOthers);
  return static_cast<uint32_t>(room);
}

int Run(const culvert::config::v1::Config& config, const std::string& path, culvert::Users users) {
  StartLog(config.log().level());
  if (absl::Status status = culvert::crypto::SelfTest(); !status.ok()) {
    return Fail(status);
  }
  const uint32_t max_connections = RaiseFileLimit(config.pptp().max_connections());
  if (users.size() == 0) {
    spdlog::warn("there are no users: nobody can dial in (auth.users_file)");
  }
  // Signals are for this thread alone, and all others inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  size_t num_users = users.size();
  absl::StatusOr<std::unique_ptr<culvert::ControlPlane>> plane = culvert::ControlPlane::Start(
      config, std::move(users),
      {.version = CULVERT_VERSION, .config_file = path, .max_connections = max_connections});
  if (!plane.ok()) {
    return Fail(plane.status());
  }
  spdlog::info("culvert-controlplane {} ready: listen={} users={} management={}", CULVERT_VERSION,
               absl::StrJoin(config.pptp().listen(), ","), num_users, config.management().socket());
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    (*plane)->ReadAgain();
  }
  spdlog::info("stopping: {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
  alarm(kStopSeconds);  // whatever hangs, this ends
  (*plane)->Stop();
  plane->reset();
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Culvert's control plane: PPTP control connections, PPP and authentication."};
  std::string path = culvert::config::DefaultPath();
  bool check = false;
  app.add_option("--config", path, "configuration file (TOML)")->type_name("FILE");
  app.add_flag("--check", check, "check the configuration and the users, and exit");
  app.set_version_flag("--version", "culvert-controlplane " CULVERT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  constexpr auto kProcess = culvert::config::Process::kControlplane;
  culvert::config::Loaded loaded = culvert::config::Load(path, kProcess);
  if (!loaded.ok()) {
    return ReportProblems(loaded.problems);
  }
  culvert::Users users;
  culvert::UserProblems problems =
      culvert::UserFiles::Read(culvert::MakeUserPaths(loaded.config), users);
  // A bad line of chap-secrets is reported, and the others work; a check does not pass.
  const int warned = problems.warnings.empty() ? 0 : ReportProblems(problems.warnings);
  if (!problems.errors.empty()) {
    return ReportProblems(problems.errors);
  }
  if (check && warned != 0) {
    return warned;
  }
  culvert::radius::ClientSettings radius;
  if (const auto wrong = culvert::radius::ReadClientSettings(loaded.config, radius);
      !wrong.empty()) {
    return ReportProblems(wrong);
  }
  return check ? culvert::config::RunCheck(path, kProcess)
               : Run(loaded.config, path, std::move(users));
}
