// Owning pointers for libnl's objects.
#pragma once

#include <absl/status/status.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "dataplane/forwarding/fib6.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {

template <auto kFree>
struct NlDeleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using NlSocket = std::unique_ptr<nl_sock, NlDeleter<nl_socket_free>>;
using NlAddress = std::unique_ptr<nl_addr, NlDeleter<nl_addr_put>>;
using NlInterfaceAddress = std::unique_ptr<rtnl_addr, NlDeleter<rtnl_addr_put>>;
using NlRoute = std::unique_ptr<rtnl_route, NlDeleter<rtnl_route_put>>;
using NlNeighbour = std::unique_ptr<rtnl_neigh, NlDeleter<rtnl_neigh_put>>;

// NlError makes a status of libnl's negative error code.
inline absl::Status NlError(const std::string& what, int error) {
  return absl::InternalError(what + ": " + nl_geterror(error));
}

// RouteSocket gives a connected NETLINK_ROUTE socket, or null.
inline NlSocket RouteSocket() {
  NlSocket socket(nl_socket_alloc());
  if (socket && nl_connect(socket.get(), NETLINK_ROUTE) < 0) socket.reset();
  return socket;
}

// Ipv4Address makes libnl's form of `address` (host order) with a prefix length.
inline NlAddress Ipv4Address(uint32_t address, int prefix_len) {
  const wire::Be32 network = wire::Be32::FromHost(address);
  NlAddress result(nl_addr_build(AF_INET, &network, sizeof(network)));
  if (result) nl_addr_set_prefixlen(result.get(), prefix_len);
  return result;
}

// Ipv6NlAddress: the same for IPv6.
inline NlAddress Ipv6NlAddress(Ipv6Number address, int prefix_len) {
  Ipv6Octets octets = ToOctets(address);
  NlAddress result(nl_addr_build(AF_INET6, octets.data(), octets.size()));
  if (result) nl_addr_set_prefixlen(result.get(), prefix_len);
  return result;
}

}  // namespace culvert::dataplane
