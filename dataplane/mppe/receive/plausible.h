// RC4 has no check: whether a frame was decrypted with the right key shows by what it says.
#pragma once

#include <tl/expected.hpp>

#include "proto/wire/ppp.h"

namespace culvert::dataplane::mppe {

// ParsePlausible reads a decrypted frame from its protocol field on. kBadProtocol when no peer
// would have encrypted this. `len` is the frame's whole length when `text` is only its beginning;
// 22 octets show an IPv4 header, 42 one of IPv6.
tl::expected<wire::ppp::Frame, wire::ppp::Error> ParsePlausible(wire::Octets text, size_t len);

}  // namespace culvert::dataplane::mppe
