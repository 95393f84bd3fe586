// EndCause is why a call ended, in a form fit for a metric's label.
#pragma once

#include <cstdint>
#include <string_view>

namespace culvert {

enum class EndCause : uint8_t {
  kClientHangUp,       // Call-Clear-Request or Call-Disconnect-Notify
  kControlConnection,  // closed or lost
  kPpp,                // LCP, authentication, IPCP or CCP ended it
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

}  // namespace culvert
