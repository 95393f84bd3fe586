// Whole packets, with their authenticators and Message-Authenticator (RFC 2865 s3, RFC 2866 s3,
// RFC 3579 s3.2, RFC 5176 s2.3, RFC 5997 s3), and the checks of those that come. All comparisons
// take constant time. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

struct RequestParts {
  Code code{};
  uint8_t identifier = 0;
  // For Access-Request and Status-Server: random, never used before. Others have theirs computed.
  AuthenticatorOctets authenticator{};
  // Written first when asked for. Access-Request and Status-Server always have one here.
  bool message_authenticator = false;
  std::optional<Octets> user_password = std::nullopt;  // of PAP, in clear; hidden here
};

// BuildRequest: `attributes` without Message-Authenticator and User-Password.
[[nodiscard]] tl::expected<std::vector<uint8_t>, PacketError> BuildRequest(
    const RequestParts& parts, const AttributeList& attributes, Octets secret);

// BuildReply answers `request`; Message-Authenticator comes first when asked for.
[[nodiscard]] tl::expected<std::vector<uint8_t>, PacketError> BuildReply(
    Code code, const Packet& request, const AttributeList& attributes, bool message_authenticator,
    Octets secret);

// IsSignedRequest: the Request Authenticator is the one computed with `secret`. Only for
// Accounting-Request, CoA-Request and Disconnect-Request; false for others.
[[nodiscard]] bool IsSignedRequest(const Packet& request, Octets secret);

// IsSignedReply: the Response Authenticator is right for this request's.
[[nodiscard]] bool IsSignedReply(const Packet& reply,
                                 const AuthenticatorOctets& request_authenticator, Octets secret);

enum class MessageAuthenticatorCheck : uint8_t {
  kAbsent,
  kValid,
  kInvalid,  // wrong, more than one, or not of 16 octets
};
// CheckRequestMessageAuthenticator, CheckReplyMessageAuthenticator: the position does not matter.
[[nodiscard]] MessageAuthenticatorCheck CheckRequestMessageAuthenticator(const Packet& request,
                                                                         Octets secret);
[[nodiscard]] MessageAuthenticatorCheck CheckReplyMessageAuthenticator(
    const Packet& reply, const AuthenticatorOctets& request_authenticator, Octets secret);

}  // namespace culvert::radius
