// The flags of a plan, for the subcommands that have one.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "tools/load/plan/plan.h"

namespace culvert::load {

struct PlanOptions {
  std::string path;  // of the TOML file; empty: none
  Flags flags;
};

// AddPlanFlags makes a flag of each key of the plan. The options outlive the command.
void AddPlanFlags(CLI::App* command, const std::shared_ptr<PlanOptions>& options);

// Prepared is what a run needs, or not: `status` then is the exit status, and what is wrong has
// been said on standard error.
struct Prepared {
  int status = 0;
  Plan plan;
  std::vector<client_role::Account> accounts;
  int stop_fd = -1;  // readable on SIGINT, SIGTERM and SIGHUP
};
// Prepare reads the plan (`defaults`: keys that neither file nor flags give) and makes the process
// fit: signals, descriptors, OpenSSL.
[[nodiscard]] Prepared Prepare(const char* command, const PlanOptions& options,
                               const Flags& defaults = {});

// CannotStart says why on standard error and gives the exit status.
int CannotStart(const char* command, const std::string& why);

}  // namespace culvert::load
