// Admission lets users in: who guesses is kept out, a backend judges who it is, the user's limits
// are kept, the call gets its addresses, and a hook may object. It stands between the calls and
// those who authenticate.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/policy/lock_out.h"
#include "controlplane/aaa/policy/session_limits.h"
#include "controlplane/aaa/pools/address_pools.h"
#include "controlplane/filters/filter_registry.h"
#include "controlplane/ipv6/prefix/assignment.h"
#include "controlplane/logging/log_limit.h"

namespace culvert {

// Any thread; answers come on the asking one.
class Admission final : public Authenticator {
 public:
  using Clock = std::function<uint64_t()>;  // milliseconds, steady
  // Post runs `work` on the thread of the call's shard; called by any thread.
  using Post = std::function<void(const CallFacts& call, std::function<void()> work)>;
  // Approve is asked about a call that is let in, with its addresses in `result`; it comes back at
  // once and answers on any thread.
  using Approve = std::function<void(const CallFacts& call, const AuthResult& result,
                                     std::function<void(bool approved)> done)>;

  // Parts outlive the admission. Those that are null or empty are left out.
  struct Parts {
    Authenticator* backend = nullptr;  // needed
    AddressPools* pools = nullptr;     // needed
    LockOut* lock_out = nullptr;
    SessionLimits* sessions = nullptr;
    ipv6::PrefixAssignment* prefixes = nullptr;
    filters::FilterRegistry* filters = nullptr;
    Clock clock;     // needed
    Post post = {};  // needed with sessions and approve
    Approve approve = {};
  };
  struct Settings {
    // Names of pools, as pptp.listen; empty ones, and those left out, are for any pool.
    std::vector<std::string> listener_pools = {};
    uint32_t max_sessions = 0;  // of a user that has no number of its own; 0: any
    bool replace_sessions = false;
    bool asks_approval = true;  // as far as there is an `approve`
  };
  Admission(Parts parts, Settings settings);

  // Reconfigure: for who comes from now on.
  void Reconfigure(Settings settings);

  // Authenticate: an accepted call holds `lease` of the answer until Release().
  void Authenticate(AuthRequest request, AuthDone done) override;
  // Release takes back what a call held; an empty lease is allowed.
  void Release(const Lease& lease);

 private:
  // Entrant is a user that a backend has accepted.
  struct Entrant {
    CallFacts call;
    AuthResult result;
    AuthDone done;
  };
  [[nodiscard]] std::shared_ptr<const Settings> settings() const;
  void OnJudged(const CallFacts& call, const std::string& name, AuthResult result, AuthDone done);
  // TakeFilter: who would be let in without the filter that was meant is not let in.
  void TakeFilter(const std::shared_ptr<Entrant>& entrant);
  void TakeSession(const std::shared_ptr<Entrant>& entrant);
  void TakeAddresses(const std::shared_ptr<Entrant>& entrant);
  void Refuse(const std::shared_ptr<Entrant>& entrant, std::string reason, uint32_t mschap_code);
  void TakePrefixes(AuthResult& result);
  // TakeAddress gives why there is none, or an empty text.
  std::string TakeAddress(size_t listener, AuthResult& result);

  const Parts parts_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Settings> settings_ ABSL_GUARDED_BY(mutex_);
  LogLimit log_limit_;
};

}  // namespace culvert
