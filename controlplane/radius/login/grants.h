// ReadGrants takes what an Access-Accept gives to a call. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "controlplane/aaa/grants.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

// ReadGrants: the error says which attribute makes the Accept one that cannot be carried out: a
// service we do not have, or a value of a wrong length or form, which makes it a Reject (RFC 2865
// s5, s5.6; RFC 2868 s3.1). What is unknown is ignored. MPPE's are not read here.
[[nodiscard]] tl::expected<CallGrants, std::string> ReadGrants(const Packet& accept);

// ParseFramedRoute (RFC 2865 s5.22): "prefix[/length] [gateway [metrics]]"; without a length that
// of the address's class. nullopt: not of this form.
[[nodiscard]] std::optional<config::Ipv4Prefix> ParseFramedRoute(std::string_view text);

}  // namespace culvert::radius
