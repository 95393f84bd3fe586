// EndCause is why a call ended, for metrics, hooks and accounting.
#pragma once

#include <cstdint>
#include <string_view>

#include "controlplane/ppp/call.h"

namespace culvert {

enum class EndCause : uint8_t {
  kClientHangUp,       // Call-Clear-Request, Call-Disconnect-Notify or LCP
  kControlConnection,  // closed or lost
  kAuthentication,     // failed, refused or not done in time
  kEncryption,         // MPPE is required, and cannot be had
  kNetwork,            // no address, or no network protocol
  kPpp,                // something else in PPP
  kLostCarrier,        // the client is silent, or has begun another session
  kIdleTimeout,
  kSessionTimeout,
  kOctetQuota,
  kTerminated,  // by the operator
  kReplaced,    // by a newer session of its user
  kDataplane,   // it is away, or refused the call
  kShutdown,
};
[[nodiscard]] std::string_view EndCauseName(EndCause cause);
// EndCauseOf: of a call that PPP has ended unasked.
[[nodiscard]] EndCause EndCauseOf(ppp::EndKind kind);

}  // namespace culvert
