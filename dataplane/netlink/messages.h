// Netlink messages of the kernel as what the mirror needs to know, parsed with libnl.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/datapath.h"
#include "dataplane/netlink/route_table.h"

struct nlmsghdr;

namespace culvert::dataplane {

// RouteOf gives the route of an RTM_NEWROUTE or RTM_DELROUTE in Address's version of IP (uint32_t
// or Ipv6Number); nothing for what the mirror leaves to the kernel: other families and tables,
// routes for one TOS, cached and `throw` routes; of IPv6 what is for a link or the host itself.
template <typename Address>
std::optional<BasicKernelRoute<Address>> RouteOf(nlmsghdr* message);

struct KernelNeighbour {
  uint32_t interface_index = 0;
  bool is_ipv6 = false;
  Ipv6Number address = 0;  // IPv4: as a number below 2^32
  // Set while the kernel would send to it.
  std::optional<MacAddress> mac;
};

// NeighbourOf gives the unicast neighbour of an RTM_NEWNEIGH or RTM_DELNEIGH.
std::optional<KernelNeighbour> NeighbourOf(nlmsghdr* message);

struct KernelAddress {
  uint32_t interface_index = 0;
  bool is_ipv6 = false;
  std::array<uint8_t, 16> octets{};  // network order; IPv4: the first four
};

// AddressOf gives the address of an RTM_NEWADDR when the kernel would send from it to others: a
// primary one of global scope that is neither tentative nor deprecated.
std::optional<KernelAddress> AddressOf(nlmsghdr* message);

}  // namespace culvert::dataplane
