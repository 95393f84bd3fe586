#include "tools/load/run/plan_flags.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "controlplane/crypto/primitives.h"
#include "tools/load/subcommand.h"

namespace culvert::load {

namespace {

// RaiseFileLimit: a connection is a file. Root may go beyond the hard limit.
void RaiseFileLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit more{.rlim_cur = 1 << 20, .rlim_max = std::max<rlim_t>(1 << 20, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);    // the terminal was closed
  std::signal(SIGPIPE, SIG_IGN);  // who reads the lines may go
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

int CannotStart(const char* command, const std::string& why) {
  std::fputs(fmt::format("culvert-load {}: {}\n", command, why).c_str(), stderr);
  return kCannotStart;
}

void AddPlanFlags(CLI::App* command, const std::shared_ptr<PlanOptions>& options) {
  using google::protobuf::FieldDescriptor;
  command->add_option("PLAN", options->path, "a TOML file; flags go over it");
  const auto& descriptor = *Plan::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    std::string flag = "--" + field.name();
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::vector<std::string>* values = &options->flags[field.name()];
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      command->add_flag_callback(flag, [values] { *values = {"true"}; });
    } else if (field.is_repeated()) {
      command->add_option(flag, *values)->delimiter(',')->type_name("TEXT,...");
    } else {
      command
          ->add_option_function<std::string>(
              flag, [values](const std::string& text) { *values = {text}; })
          ->type_name(field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ? "TEXT" : "NUMBER");
    }
  }
}

Prepared Prepare(const char* command, const PlanOptions& options, const Flags& defaults) {
  Prepared prepared;
  Flags flags = options.flags;
  std::erase_if(flags, [](const auto& flag) { return flag.second.empty(); });
  LoadedPlan loaded = LoadPlan(options.path, flags, defaults);
  for (const std::string& problem : loaded.problems) {
    prepared.status = CannotStart(command, problem);
  }
  if (prepared.status != 0) {
    return prepared;
  }
  prepared.plan = std::move(loaded.plan);
  if (const absl::Status status = crypto::SelfTest(); !status.ok()) {
    prepared.status = CannotStart(command, std::string(status.message()));
    return prepared;
  }
  Accounts made = MakeAccounts(prepared.plan);
  if (!made.problem.empty()) {
    prepared.status = CannotStart(command, made.problem);
    return prepared;
  }
  prepared.accounts = std::move(made.accounts);
  RaiseFileLimit();
  prepared.stop_fd = StopSignals();
  return prepared;
}

}  // namespace culvert::load
