// culvert-dataplane: reads the configuration, starts the process, waits for its end.
// Exit status: 0 stopped, 1 could not start, 2 usage or configuration.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>

#include "dataplane/process.h"
#include "proto/config/load.h"

namespace {

constexpr int kCannotStart = 1;
constexpr int kBadConfiguration = 2;
constexpr long kTickNs = 200'000'000;

void StartLog(const culvert::config::v1::Log& log) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("dataplane"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %n: %v");
  spdlog::set_level(spdlog::level::from_str(log.level()));
}

// Blocks the signals that end the process, in this thread and all that it starts.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int Run(const culvert::config::v1::Config& config) {
  const sigset_t signals = BlockSignals();
  auto process = culvert::dataplane::Process::Start(config, CULVERT_VERSION);
  if (!process.ok()) {
    spdlog::error("{}", std::string(process.status().message()));
    return kCannotStart;
  }
  spdlog::info("ready: {} ports, {} workers, socket {}", config.dataplane().ports_size(),
               config.dataplane().worker_cores_size(), config.dataplane().socket());
  const timespec tick{.tv_sec = 0, .tv_nsec = kTickNs};
  int signal_number = 0;
  while ((signal_number = sigtimedwait(&signals, nullptr, &tick)) <= 0) (*process)->Tick();
  spdlog::info("stopping on {}", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
  process->reset();
  spdlog::info("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  using culvert::config::Process;
  CLI::App app("culvert-dataplane: the packet side of Culvert, a PPTP access concentrator");
  std::string path = culvert::config::DefaultPath();
  bool check = false;
  app.add_option("--config", path,
                 "configuration file (TOML); default: " +
                     std::string(culvert::config::kDefaultPath) + " if there is one");
  app.add_flag("--check", check, "check the configuration and exit: 0 good, 2 not");
  app.set_version_flag("--version", "culvert-dataplane " CULVERT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadConfiguration;
  }
  if (check) return culvert::config::RunCheck(path, Process::kDataplane);

  const culvert::config::Loaded loaded = culvert::config::Load(path, Process::kDataplane);
  for (const auto& problem : loaded.problems) {
    fprintf(stderr, "%s\n", culvert::config::Format(problem).c_str());
  }
  if (!loaded.ok()) return kBadConfiguration;
  StartLog(loaded.config.log());
  return Run(loaded.config);
}
