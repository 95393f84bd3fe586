// CheckReply decides whether a datagram from a server's address and port answers a request
// (RFC 2865 s3, RFC 3579 s3.2). Any thread.
#pragma once

#include <tl/expected.hpp>

#include "controlplane/radius/client/server.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

struct ExpectedReply {
  Code request_code{};
  Service service{};
  AuthenticatorOctets request_authenticator{};
  bool needs_message_authenticator = false;  // the server's policy, as it stands now
  Octets secret;
};

struct CheckedReply {
  bool has_message_authenticator = false;
};

// CheckReply: `packet` has the request's identifier.
[[nodiscard]] tl::expected<CheckedReply, DropReason> CheckReply(const Packet& packet,
                                                                const ExpectedReply& expected);

}  // namespace culvert::radius
