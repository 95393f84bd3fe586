#include "controlplane/aaa/local_users.h"

#include <absl/strings/str_cat.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include <array>

#include "controlplane/aaa/verify.h"
#include "controlplane/logging/printable.h"

namespace culvert {

LocalUsers::LocalUsers(Users users, AddressPools* pools, Clock clock)
    : users_(std::move(users)), pools_(pools), clock_(std::move(clock)) {
  for (uint32_t address : users_.FixedAddresses()) {
    pools_->Reserve(address);
  }
  std::array<uint8_t, 16> octets{};
  RAND_bytes(octets.data(), octets.size());
  for (uint8_t& octet : octets) {
    octet = 'a' + octet % 26;  // a password must be UTF-8 to have an NT hash
  }
  stranger_.password = Secret(octets);
}

void LocalUsers::Authenticate(AuthRequest request, std::function<void(AuthResult)> done) {
  Users::Found found = users_.Find(request.user);
  Verdict verdict = Verify(found.user != nullptr ? *found.user : stranger_, request);
  AuthResult result;
  result.user = std::string(found.name);
  if (found.user == nullptr) {
    result.reject_reason = "unknown user";
  } else if (!verdict.accepted) {
    result.reject_reason = std::string(verdict.reason);
  } else {
    result.verdict = AuthVerdict::kAccept;
    result.authenticator_response = std::move(verdict.authenticator_response);
    result.keys = std::move(verdict.keys);
    result.grants = found.user->grants;
    GiveAddress(*found.user, result);
  }
  done(std::move(result));
}

void LocalUsers::GiveAddress(const User& user, AuthResult& result) {
  if (user.fixed_address != 0) {
    if (pools_->AcquireFixed(user.fixed_address)) {
      result.client_address = user.fixed_address;
      return;
    }
    result.no_address_reason = absl::StrCat("the user's fixed address ",
                                            config::FormatIpv4(user.fixed_address), " is in use");
  } else if (std::optional<uint32_t> address = pools_->Allocate(clock_())) {
    result.client_address = *address;
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
