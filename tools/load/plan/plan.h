// The plan of a run: a TOML file, flags over it, and what does not go together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controlplane/client_role/authentication.h"
#include "load.pb.h"

namespace culvert::load {

using v1::Plan;

// Flags: what the command line says, by key of the plan; several values of a repeated key.
using Flags = std::map<std::string, std::vector<std::string>>;

struct LoadedPlan {
  Plan plan;
  std::vector<std::string> problems;  // a line each; empty: the plan can be used
};

// LoadPlan reads the defaults and `defaults` over them, then the file `path` (empty: none), then
// `flags`.
[[nodiscard]] LoadedPlan LoadPlan(const std::string& path, const Flags& flags,
                                  const Flags& defaults = {});

// MakeAccounts gives the accounts that the plan's calls use in turn, or what is wrong with its
// user file.
struct Accounts {
  std::vector<client_role::Account> accounts;
  std::string problem;
};
[[nodiscard]] Accounts MakeAccounts(const Plan& plan);

// WishesOf is what the plan's clients negotiate.
[[nodiscard]] client_role::Wishes WishesOf(const Plan& plan);

}  // namespace culvert::load
