#include "controlplane/aaa/admission.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "controlplane/logging/printable.h"

namespace culvert {

namespace {
// Codes of RFC 2759 s6: who may not come from there is told no more than who guesses.
constexpr uint32_t kAuthenticationFailure = 691;
constexpr uint32_t kNoDialinPermission = 649;

AuthResult Rejection(std::string user, std::string reason, uint32_t mschap_code) {
  AuthResult result;
  result.user = std::move(user);
  result.reject_reason = std::move(reason);
  if (mschap_code != kAuthenticationFailure) {
    result.mschap_failure = MsChapFailure{.code = mschap_code, .challenge = {}, .message = {}};
  }
  return result;
}
}  // namespace

Admission::Admission(Parts parts, Settings settings)
    : parts_(std::move(parts)), settings_(std::make_shared<const Settings>(std::move(settings))) {}

void Admission::Reconfigure(Settings settings) {
  auto now = std::make_shared<const Settings>(std::move(settings));
  absl::MutexLock lock(&mutex_);
  settings_.swap(now);
}

std::shared_ptr<const Admission::Settings> Admission::settings() const {
  absl::MutexLock lock(&mutex_);
  return settings_;
}

void Admission::Authenticate(AuthRequest request, AuthDone done) {
  const CallFacts call = request.call;
  const std::string name = request.user;
  if (parts_.lock_out != nullptr &&
      parts_.lock_out->Locked(name, call.peer_address, parts_.clock())) {
    return done(Rejection(name, "locked out", kAuthenticationFailure));
  }
  parts_.backend->Authenticate(
      std::move(request), [this, call, name, done = std::move(done)](AuthResult result) mutable {
        OnJudged(call, name, std::move(result), std::move(done));
      });
}

void Admission::OnJudged(const CallFacts& call, const std::string& name, AuthResult result,
                         AuthDone done) {
  if (parts_.lock_out != nullptr) {
    // A challenge with a reason tells the client that it has failed (EAP-MSCHAPv2): who hangs up
    // on that has guessed too.
    const bool failed = result.verdict == AuthVerdict::kChallenge
                            ? !result.reject_reason.empty()
                            : result.verdict == AuthVerdict::kReject && !result.unjudged;
    if (failed) {
      parts_.lock_out->OnFailure(name, call.peer_address, parts_.clock());
    } else if (result.verdict == AuthVerdict::kAccept) {
      parts_.lock_out->OnSuccess(name, call.peer_address, parts_.clock());
    }
  }
  if (result.verdict != AuthVerdict::kAccept) {
    return done(std::move(result));
  }
  auto entrant = std::make_shared<Entrant>(
      Entrant{.call = call, .result = std::move(result), .done = std::move(done)});
  const auto& sources = entrant->result.grants.allowed_sources;
  if (!sources.empty() && std::none_of(sources.begin(), sources.end(), [&](const auto& prefix) {
        return prefix.Contains(call.peer_address);
      })) {
    return Refuse(entrant, "may not dial in from this address", kAuthenticationFailure);
  }
  TakeFilter(entrant);
}

void Admission::TakeFilter(const std::shared_ptr<Entrant>& entrant) {
  CallGrants& grants = entrant->result.grants;
  if (parts_.filters != nullptr) {
    auto filter = parts_.filters->Resolve(grants.filter_id, grants.filter_rules);
    if (!filter.ok()) {
      return Refuse(entrant, std::string(filter.status().message()), kNoDialinPermission);
    }
    grants.filter = *std::move(filter);
    grants.own_filter = !grants.filter_id.empty() || !grants.filter_rules.empty();
    grants.filter_rules = {};
  }
  TakeSession(entrant);
}

void Admission::TakeSession(const std::shared_ptr<Entrant>& entrant) {
  const CallGrants& grants = entrant->result.grants;
  const std::shared_ptr<const Settings> settings = this->settings();
  const uint32_t max = grants.max_sessions.value_or(settings->max_sessions);
  if (parts_.sessions == nullptr || max == 0) {
    return TakeAddresses(entrant);
  }
  const auto entered = [this, entrant](bool in) {
    parts_.post(entrant->call, [this, entrant, in] {
      if (in) {
        return TakeAddresses(entrant);
      }
      entrant->result.lease.session = {};
      Refuse(entrant, "the user has logged in again meanwhile", kNoDialinPermission);
    });
  };
  const SessionLimits::Entry entry = parts_.sessions->Enter(
      entrant->result.user, entrant->call.id,
      {.max = max, .replace = grants.replace_sessions.value_or(settings->replace_sessions)},
      entered, &entrant->result.lease.session);
  if (entry == SessionLimits::Entry::kIn) {
    return TakeAddresses(entrant);
  }
  if (entry == SessionLimits::Entry::kRefused) {
    Refuse(entrant, absl::StrCat("has ", max, " sessions already"), kNoDialinPermission);
  }
}

void Admission::TakeAddresses(const std::shared_ptr<Entrant>& entrant) {
  AuthResult& result = entrant->result;
  result.no_address_reason = TakeAddress(entrant->call.listener, result);
  if (!result.no_address_reason.empty()) {
    if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
      spdlog::error("no address for user={}: {} ({} more since the last such line)",
                    Printable(result.user), result.no_address_reason, *left_out);
    }
  }
  TakePrefixes(result);
  if (!parts_.approve || !settings()->asks_approval || result.lease.client_address == 0) {
    return entrant->done(std::move(result));
  }
  parts_.approve(entrant->call, result, [this, entrant](bool approved) {
    parts_.post(entrant->call, [this, entrant, approved] {
      if (approved) {
        return entrant->done(std::move(entrant->result));
      }
      Refuse(entrant, "refused by ip-pre-up", kNoDialinPermission);
    });
  });
}

// TakePrefixes: a call may do without, so what is missing is only told.
void Admission::TakePrefixes(AuthResult& result) {
  if (parts_.prefixes == nullptr || result.lease.client_address == 0) {
    return;
  }
  const std::string missing =
      parts_.prefixes->Assign(result.grants.ipv6, result.user, parts_.clock(), &result.lease);
  if (missing.empty()) {
    return;
  }
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::error("no IPv6 prefix for user={}: {} ({} more since the last such line)",
                  Printable(result.user), missing, *left_out);
  }
}

void Admission::Refuse(const std::shared_ptr<Entrant>& entrant, std::string reason,
                       uint32_t mschap_code) {
  Release(entrant->result.lease);
  entrant->done(Rejection(entrant->result.user, std::move(reason), mschap_code));
}

void Admission::Release(const Lease& lease) {
  if (lease.client_address != 0) {
    parts_.pools->Release(lease.client_address, parts_.clock());
  }
  if (parts_.prefixes != nullptr) {
    parts_.prefixes->Release(lease, parts_.clock());
  }
  if (parts_.sessions != nullptr) {
    parts_.sessions->Leave(lease.session);
  }
}

std::string Admission::TakeAddress(size_t listener, AuthResult& result) {
  const CallGrants& grants = result.grants;
  if (grants.fixed_address != 0) {
    if (!parts_.pools->AcquireFixed(grants.fixed_address)) {
      return absl::StrCat("the user's fixed address ", config::FormatIpv4(grants.fixed_address),
                          " is in use");
    }
    result.lease.client_address = grants.fixed_address;
    return "";
  }
  std::string pool = grants.pool;
  const std::shared_ptr<const Settings> settings = this->settings();
  if (pool.empty() && listener < settings->listener_pools.size()) {
    pool = settings->listener_pools[listener];
  }
  const auto& allowed = grants.allowed_addresses;
  if (std::optional<uint32_t> address = parts_.pools->Allocate(
          parts_.clock(),
          {.user = result.user, .pool = pool, .allowed = allowed ? &*allowed : nullptr})) {
    result.lease.client_address = *address;
    return "";
  }
  if (!parts_.pools->HasPool(pool)) {
    return absl::StrCat("there is no pool named \"", Printable(pool), "\"");
  }
  if (allowed) {
    return "no address that the user may have is free in the pools";
  }
  std::string text = "the address pools are empty:";
  for (const AddressPools::Usage& usage : parts_.pools->usage()) {
    absl::StrAppend(&text, " ", usage.name, " ", usage.in_use, " of ", usage.size, " in use");
  }
  return text;
}

}  // namespace culvert
