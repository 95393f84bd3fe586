// The MPPE keys and rules of an Access-Accept (RFC 2548 s2.4, RFC 3079). Any thread.
#pragma once

#include <optional>
#include <string>

#include "controlplane/aaa/authentication.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

struct MppeReading {
  MppeStartKeys keys;
  std::optional<MppeGrant> policy;
  std::optional<uint8_t> strengths;  // of CallGrants
  bool odd_types = false;            // MS-MPPE-Encryption-Types named none; 128 bit was taken
};

// ReadMppe: `exchange` is what the Accept answers. An error says why there can be no call: a key
// that does not come out with a valid length, or encryption that is required without keys.
[[nodiscard]] tl::expected<MppeReading, std::string> ReadMppe(
    const Packet& accept, const AuthExchange& exchange, Octets secret,
    const AuthenticatorOctets& request_authenticator);

}  // namespace culvert::radius
