// What the configuration wants of an interface: its addresses, and routes that point to it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <vector>

namespace culvert::dataplane {

// AddAddresses puts "192.0.2.1/24" and "2001:db8::1/64" addresses on the interface; one that is
// there already is fine. Errors name the address and `interface`.
absl::Status AddAddresses(const std::string& interface, uint32_t interface_index,
                          const std::vector<std::string>& addresses);

// AddRoutes routes prefixes of either family to the interface, in the main table; IPv4 ones by
// `gateway` (host order) when that is not 0.
absl::Status AddRoutes(const std::string& interface, uint32_t interface_index,
                       const std::vector<std::string>& prefixes, uint32_t gateway = 0);

}  // namespace culvert::dataplane
