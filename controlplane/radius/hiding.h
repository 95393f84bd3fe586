// Values that a RADIUS packet hides with the shared secret: passwords (RFC 2865 s5.2) and keys
// (RFC 2548 s2.4). Any thread.
#pragma once

#include <cstdint>
#include <tl/expected.hpp>
#include <vector>

#include "controlplane/crypto/secret.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

enum class HidingError : uint8_t {
  kTooLong,     // more than 128 octets of password, or 238 of key
  kBadLength,   // the hidden octets are no whole blocks
  kBadContent,  // what it says inside about its length cannot be: another secret, or damage
};

// HidePassword pads to whole blocks of 16 and hides; an empty password is one block. With
// `authenticator` of the request.
[[nodiscard]] tl::expected<std::vector<uint8_t>, HidingError> HidePassword(
    Octets password, Octets secret, const AuthenticatorOctets& authenticator);
// RevealPassword gives the password with its padding; for whoever plays the server.
[[nodiscard]] tl::expected<Secret, HidingError> RevealPassword(
    Octets hidden, Octets secret, const AuthenticatorOctets& authenticator);

// HideKey makes the value of MS-MPPE-Send-Key, MS-MPPE-Recv-Key and, after its tag,
// Tunnel-Password. `salt`: unique in the packet; its top bit is set here.
[[nodiscard]] tl::expected<std::vector<uint8_t>, HidingError> HideKey(
    Octets key, uint16_t salt, Octets secret, const AuthenticatorOctets& request_authenticator);
// RevealKey gives a key of at least one octet whose length is what its value says, or an error.
[[nodiscard]] tl::expected<Secret, HidingError> RevealKey(
    Octets value, Octets secret, const AuthenticatorOctets& request_authenticator);

// ChapMppeKeys: what MS-CHAP-MPPE-Keys (RFC 2548 s2.4.1) holds.
struct ChapMppeKeys {
  Secret lm_key;  // 8 octets
  Secret nt_key;  // 16 octets
};
[[nodiscard]] tl::expected<std::vector<uint8_t>, HidingError> HideChapMppeKeys(
    Octets lm_key, Octets nt_key, Octets secret, const AuthenticatorOctets& request_authenticator);
// RevealChapMppeKeys: 32 octets, of which the last eight are zeros inside.
[[nodiscard]] tl::expected<ChapMppeKeys, HidingError> RevealChapMppeKeys(
    Octets value, Octets secret, const AuthenticatorOctets& request_authenticator);

}  // namespace culvert::radius
