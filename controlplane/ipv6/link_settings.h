// What the IPv6 side of calls is configured with, and what one call has.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/config/address/address6.h"

namespace culvert::ipv6 {

// How clients get an address from their prefix: they form one (RFC 4862), DHCPv6 gives one, or
// both.
enum class Addressing : uint8_t { kSlaac, kDhcp, kBoth };

// LinkSettings are shared by all calls.
struct LinkSettings {
  Addressing addressing = Addressing::kSlaac;
  uint32_t advertisement_interval_s = 600;  // MaxRtrAdvInterval, RFC 4861 s6.2.1
  uint32_t preferred_lifetime_s = 3600;     // of addresses and prefixes
  uint32_t valid_lifetime_s = 7200;
  std::vector<config::Ipv6Address> dns;  // for users without their own
  std::optional<uint32_t> mtu;           // most that a client may send; absent: not told
  std::vector<uint8_t> server_duid;      // RFC 8415 s11
  uint8_t preference = 255;              // s21.8: nobody else is on the link, clients need not wait
};

// LinkAssignment is a call's.
struct LinkAssignment {
  std::optional<config::Ipv6Prefix> prefix;            // on the link
  std::optional<config::Ipv6Prefix> delegated_prefix;  // for DHCPv6
  std::vector<config::Ipv6Address> dns;
};

// AddressIn is the client's address with the interface identifier in the prefix.
[[nodiscard]] config::Ipv6Address AddressIn(const config::Ipv6Prefix& prefix,
                                            uint64_t interface_id);

}  // namespace culvert::ipv6
