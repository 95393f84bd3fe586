#include "controlplane/ipv6/prefix_assignment.h"

#include <absl/strings/str_cat.h>

#include "controlplane/logging/printable.h"

namespace culvert::ipv6 {

std::string PrefixAssignment::Assign(const Ipv6Grants& grants, uint64_t now_ms, Lease* lease) {
  std::string missing;
  lease->prefix = Take(grants.prefix, grants.pool, choice_.pool, now_ms, &missing);
  lease->delegated_prefix = Take(grants.delegated_prefix, grants.delegated_pool,
                                 choice_.delegated_pool, now_ms, &missing);
  return missing;
}

void PrefixAssignment::Release(const Lease& lease, uint64_t now_ms) {
  for (const Prefix& prefix : {lease.prefix, lease.delegated_prefix}) {
    if (prefix) {
      pools_->Release(*prefix, now_ms);
    }
  }
}

PrefixAssignment::Prefix PrefixAssignment::Take(const Prefix& fixed, const std::string& pool,
                                                const std::string& default_pool, uint64_t now_ms,
                                                std::string* missing) {
  const auto miss = [&](const std::string& what) {
    absl::StrAppend(missing, missing->empty() ? "" : "; ", what);
    return std::nullopt;
  };
  if (fixed) {
    return pools_->AcquireFixed(*fixed)
               ? fixed
               : miss(absl::StrCat("the prefix ", config::FormatPrefix6(*fixed), " is in use"));
  }
  const std::string& name = pool.empty() ? default_pool : pool;
  if (name.empty()) {
    return std::nullopt;
  }
  if (Prefix taken = pools_->Allocate(name, now_ms)) {
    return taken;
  }
  return miss(pools_->Has(name) ? absl::StrCat("the pool ", name, " is empty")
                                : absl::StrCat("there is no pool ", Printable(name)));
}

}  // namespace culvert::ipv6
