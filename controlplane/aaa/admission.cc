#include "controlplane/aaa/admission.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include "controlplane/logging/printable.h"

namespace culvert {

Admission::Admission(Authenticator* backend, AddressPools* pools, Clock clock)
    : backend_(backend), pools_(pools), clock_(std::move(clock)) {}

void Admission::Authenticate(AuthRequest request, AuthDone done) {
  backend_->Authenticate(std::move(request), [this, done = std::move(done)](AuthResult result) {
    if (result.verdict == AuthVerdict::kAccept) {
      GiveAddress(result);
    }
    done(std::move(result));
  });
}

void Admission::Release(const Lease& lease) {
  if (lease.client_address != 0) {
    pools_->Release(lease.client_address, clock_());
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
