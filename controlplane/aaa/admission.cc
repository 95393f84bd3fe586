#include "controlplane/aaa/admission.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include "controlplane/logging/printable.h"

namespace culvert {

Admission::Admission(Authenticator* backend, AddressPools* pools, Clock clock,
                     ipv6::PrefixAssignment* prefixes)
    : backend_(backend), pools_(pools), clock_(std::move(clock)), prefixes_(prefixes) {}

void Admission::Authenticate(AuthRequest request, AuthDone done) {
  backend_->Authenticate(std::move(request), [this, done = std::move(done)](AuthResult result) {
    if (result.verdict == AuthVerdict::kAccept) {
      GiveAddress(result);
      GivePrefixes(result);
    }
    done(std::move(result));
  });
}

void Admission::Release(const Lease& lease) {
  if (lease.client_address != 0) {
    pools_->Release(lease.client_address, clock_());
  }
  if (prefixes_ != nullptr) {
    prefixes_->Release(lease, clock_());
  }
}

// GivePrefixes: a call may do without, so what is missing is only told.
void Admission::GivePrefixes(AuthResult& result) {
  if (prefixes_ == nullptr || result.lease.client_address == 0) {
    return;
  }
  const std::string missing = prefixes_->Assign(result.grants.ipv6, clock_(), &result.lease);
  if (missing.empty()) {
    return;
  }
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::error("no IPv6 prefix for user={}: {} ({} more since the last such line)",
                  Printable(result.user), missing, *left_out);
  }
}

void Admission::GiveAddress(AuthResult& result) {
  const uint32_t fixed = result.grants.fixed_address;
  if (fixed != 0) {
    if (pools_->AcquireFixed(fixed)) {
      result.lease.client_address = fixed;
      return;
    }
    result.no_address_reason =
        absl::StrCat("the user's fixed address ", config::FormatIpv4(fixed), " is in use");
  } else if (std::optional<uint32_t> address = pools_->Allocate(clock_())) {
    result.lease.client_address = *address;
    return;
  } else {
    uint64_t in_use = 0;
    uint64_t size = 0;
    for (const AddressPools::Usage& pool : pools_->usage()) {
      in_use += pool.in_use;
      size += pool.size;
    }
    result.no_address_reason =
        absl::StrCat("the address pools are empty: ", in_use, " of ", size, " in use");
  }
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::error("no address for user={}: {} ({} more since the last such line)",
                  Printable(result.user), result.no_address_reason, *left_out);
  }
}

}  // namespace culvert
