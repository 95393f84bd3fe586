// PrefixAssignment gives calls their IPv6 prefixes when they are let in: those of the user, or from
// a pool. Any thread.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "controlplane/ipv6/prefix/pools.h"

namespace culvert::ipv6 {

class PrefixAssignment {
 public:
  // Choice names the pools for users who bring neither a prefix nor a pool's name; empty: none.
  struct Choice {
    std::string pool, delegated_pool;
  };
  // `pools` outlives this.
  PrefixAssignment(PrefixPools* pools, Choice choice) : pools_(pools), choice_(std::move(choice)) {}

  // Reconfigure: for those who come from now on.
  void Reconfigure(Choice choice);

  // Assign fills in the prefixes of a lease that has none; `user` gets those it had, if it may be.
  // What is not to be had is left out: the call goes on without. The answer says why, for the log;
  // empty: nothing is missing.
  [[nodiscard]] std::string Assign(const Ipv6Grants& grants, std::string_view user, uint64_t now_ms,
                                   Lease* lease);
  // Release takes them back.
  void Release(const Lease& lease, uint64_t now_ms);

 private:
  using Prefix = std::optional<config::Ipv6Prefix>;
  Prefix Take(const Prefix& fixed, const std::string& pool, std::string_view user, uint64_t now_ms,
              std::string* missing);

  PrefixPools* const pools_;
  absl::Mutex mutex_;
  Choice choice_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert::ipv6
