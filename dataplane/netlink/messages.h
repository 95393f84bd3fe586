// Netlink messages of the kernel as what the mirror needs to know, parsed with libnl.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/datapath.h"
#include "dataplane/netlink/route_table.h"

struct nlmsghdr;

namespace culvert::dataplane {

// RouteOf gives the IPv4 route of an RTM_NEWROUTE or RTM_DELROUTE; nothing for what the mirror
// leaves to the kernel: other families and tables, routes for one TOS, cached and `throw` routes.
std::optional<KernelRoute> RouteOf(nlmsghdr* message);

struct KernelNeighbour {
  uint32_t interface_index = 0;
  uint32_t address = 0;  // host order
  // Set while the kernel would send to it.
  std::optional<MacAddress> mac;
};

// NeighbourOf gives the IPv4 unicast neighbour of an RTM_NEWNEIGH or RTM_DELNEIGH.
std::optional<KernelNeighbour> NeighbourOf(nlmsghdr* message);

}  // namespace culvert::dataplane
