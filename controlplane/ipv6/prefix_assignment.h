// PrefixAssignment gives calls their IPv6 prefixes when they are let in: those of the user, or from
// a pool. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "controlplane/ipv6/prefix_pools.h"

namespace culvert::ipv6 {

class PrefixAssignment {
 public:
  // Choice names the pools for users who bring neither a prefix nor a pool's name; empty: none.
  struct Choice {
    std::string pool, delegated_pool;
  };
  // `pools` outlives this.
  PrefixAssignment(PrefixPools* pools, Choice choice) : pools_(pools), choice_(std::move(choice)) {}

  // Assign fills in the prefixes of a lease that has none. What is not to be had is left out: the
  // call goes on without. The answer says why, for the log; empty: nothing is missing.
  [[nodiscard]] std::string Assign(const Ipv6Grants& grants, uint64_t now_ms, Lease* lease);
  // Release takes them back.
  void Release(const Lease& lease, uint64_t now_ms);

 private:
  using Prefix = std::optional<config::Ipv6Prefix>;
  Prefix Take(const Prefix& fixed, const std::string& pool, const std::string& default_pool,
              uint64_t now_ms, std::string* missing);

  PrefixPools* const pools_;
  const Choice choice_;
};

}  // namespace culvert::ipv6
