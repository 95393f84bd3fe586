// CallAccounting tells accounting of one call: what it is, when it is up, what it used. Of the
// call's shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "controlplane/aaa/authentication.h"
#include "controlplane/accounting/record.h"
#include "controlplane/management/call_record.h"
#include "controlplane/shard/call/end_cause.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

namespace accounting {
class Accounting;
}

class CallAccounting {
 public:
  // `accounting` outlives this; nullptr: nobody wants to know.
  explicit CallAccounting(accounting::Accounting* accounting) : accounting_(accounting) {}

  void OnAccepted(AuthMethod method, const AuthResult& result);
  // OnUp: for the first time, or anew with another address.
  void OnUp(const CallRecord& record);
  // OnIpv6: IPV6CP is open, with the client's interface identifier; 0: it has closed.
  void OnIpv6(uint64_t id, uint64_t interface_id);
  void OnTermsChanged(uint64_t id, const CallGrants& grants);
  void OnEnded(uint64_t id, EndCause cause, const dataplane::v1::CallCounters& totals);

 private:
  void Grant(const CallGrants& grants);

  accounting::Accounting* const accounting_;
  std::unique_ptr<accounting::v1::Session> session_;  // null: nobody has logged in
  std::optional<uint32_t> interim_interval_s_;
  bool up_ = false;
  // session_ says all that OnUp() says. After another login of a call that was up it does not:
  // until then the records are those of the login before.
  bool complete_ = false;
};

// TerminateCauseOf: RFC 2866 s5.10.
[[nodiscard]] accounting::TerminateCause TerminateCauseOf(EndCause cause);

}  // namespace culvert
