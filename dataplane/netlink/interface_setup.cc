#include "dataplane/netlink/interface_setup.h"

#include <absl/strings/str_cat.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "dataplane/netlink/handles.h"
#include "proto/config/address.h"

namespace culvert::dataplane {
namespace {

absl::Status AddAddress(nl_sock* socket, uint32_t interface_index,
                        const config::Ipv4Prefix& address) {
  const NlInterfaceAddress request(rtnl_addr_alloc());
  const NlAddress local = Ipv4Address(address.address, address.length);
  if (!request || !local) return absl::ResourceExhaustedError("out of memory");
  rtnl_addr_set_ifindex(request.get(), static_cast<int>(interface_index));
  rtnl_addr_set_local(request.get(), local.get());
  // As `ip addr add … brd +` would: /31 and /32 have none (RFC 3021).
  if (address.length < 31) {
    const NlAddress broadcast = Ipv4Address(address.Last(), 32);
    rtnl_addr_set_broadcast(request.get(), broadcast.get());
  }
  const int error = rtnl_addr_add(socket, request.get(), 0);
  if (error < 0 && error != -NLE_EXIST) return absl::InternalError(nl_geterror(error));
  return absl::OkStatus();
}

absl::Status AddRoute(nl_sock* socket, uint32_t interface_index, const config::Ipv4Prefix& prefix) {
  const NlRoute request(rtnl_route_alloc());
  const NlAddress destination = Ipv4Address(prefix.address, prefix.length);
  rtnl_nexthop* next_hop = rtnl_route_nh_alloc();
  if (!request || !destination || next_hop == nullptr) {
    return absl::ResourceExhaustedError("out of memory");
  }
  rtnl_route_nh_set_ifindex(next_hop, static_cast<int>(interface_index));
  rtnl_route_add_nexthop(request.get(), next_hop);  // owns it now
  rtnl_route_set_family(request.get(), AF_INET);
  rtnl_route_set_table(request.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(request.get(), RTPROT_STATIC);
  rtnl_route_set_scope(request.get(), RT_SCOPE_LINK);
  rtnl_route_set_dst(request.get(), destination.get());
  const int error = rtnl_route_add(socket, request.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (error < 0) return absl::InternalError(nl_geterror(error));
  return absl::OkStatus();
}

}  // namespace

absl::Status AddAddresses(const std::string& interface, uint32_t interface_index,
                          const std::vector<std::string>& addresses) {
  const NlSocket socket = RouteSocket();
  if (!socket) return absl::InternalError("no netlink socket");
  for (const std::string& text : addresses) {
    const auto address = config::ParseInterface(text);
    const absl::Status status = address
                                    ? AddAddress(socket.get(), interface_index, *address)
                                    : absl::InvalidArgumentError("not of the form 192.0.2.1/24");
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("interface ", interface, ": address ", text,
                                                      ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status AddRoutes(const std::string& interface, uint32_t interface_index,
                       const std::vector<std::string>& prefixes) {
  const NlSocket socket = RouteSocket();
  if (!socket) return absl::InternalError("no netlink socket");
  for (const std::string& text : prefixes) {
    const auto prefix = config::ParsePrefix(text);
    const absl::Status status = prefix ? AddRoute(socket.get(), interface_index, *prefix)
                                       : absl::InvalidArgumentError("not of the form 192.0.2.0/24");
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("interface ", interface, ": route ", text, ": ",
                                       status.message(), " (`ip route show` tells who has it)"));
    }
  }
  return absl::OkStatus();
}

}  // namespace culvert::dataplane
