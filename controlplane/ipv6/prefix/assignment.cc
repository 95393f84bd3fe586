#include "controlplane/ipv6/prefix/assignment.h"

#include <absl/strings/str_cat.h>

#include "controlplane/logging/printable.h"

namespace culvert::ipv6 {

void PrefixAssignment::Reconfigure(Choice choice) {
  absl::MutexLock lock(&mutex_);
  choice_ = std::move(choice);
}

std::string PrefixAssignment::Assign(const Ipv6Grants& grants, std::string_view user,
                                     uint64_t now_ms, Lease* lease) {
  Choice names{.pool = grants.pool, .delegated_pool = grants.delegated_pool};
  {
    absl::MutexLock lock(&mutex_);
    names.pool = names.pool.empty() ? choice_.pool : names.pool;
    names.delegated_pool =
        names.delegated_pool.empty() ? choice_.delegated_pool : names.delegated_pool;
  }
  std::string missing;
  lease->prefix = Take(grants.prefix, names.pool, user, now_ms, &missing);
  lease->delegated_prefix =
      Take(grants.delegated_prefix, names.delegated_pool, user, now_ms, &missing);
  return missing;
}

void PrefixAssignment::Release(const Lease& lease, uint64_t now_ms) {
  for (const Prefix& prefix : {lease.prefix, lease.delegated_prefix}) {
    if (prefix) {
      pools_->Release(*prefix, now_ms);
    }
  }
}

PrefixAssignment::Prefix PrefixAssignment::Take(const Prefix& fixed, const std::string& name,
                                                std::string_view user, uint64_t now_ms,
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
  if (name.empty()) {
    return std::nullopt;
  }
  if (Prefix taken = pools_->Allocate(name, now_ms, user)) {
    return taken;
  }
  return miss(pools_->Has(name) ? absl::StrCat("the pool ", name, " is empty")
                                : absl::StrCat("there is no pool ", Printable(name)));
}

}  // namespace culvert::ipv6
