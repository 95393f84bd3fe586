// Access-Requests from what a client sent (RFC 2865 s4.1, RFC 2548, RFC 3579). Any thread.
#pragma once

#include "controlplane/aaa/authentication.h"
#include "controlplane/radius/client/sender.h"
#include "controlplane/radius/session_attributes.h"

namespace culvert::radius {

struct AccessSettings {
  NasIdentity nas;
  uint16_t framed_mtu = 0;  // the largest EAP packet that the link carries
};

// MakeAccessRequest: its attributes hold an error when something does not fit, such as a name of
// more than 253 octets. The state of `from` is what Challenge() of access_reply.h made.
[[nodiscard]] Request MakeAccessRequest(const AuthRequest& from, const AccessSettings& settings);

}  // namespace culvert::radius
