#include "dataplane/netlink/interface_setup.h"

#include <absl/strings/str_cat.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <optional>

#include "dataplane/netlink/handles.h"
#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert::dataplane {
namespace {

// Parsed is an address or prefix of either family; null: it is neither.
struct Parsed {
  NlAddress address;
  std::optional<config::Ipv4Prefix> ipv4;
};

Parsed ParseAny(std::optional<config::Ipv4Prefix> ipv4, std::optional<config::Ipv6Prefix> ipv6) {
  if (ipv4) return {Ipv4Address(ipv4->address, ipv4->length), ipv4};
  if (!ipv6) return {};
  NlAddress address(nl_addr_build(AF_INET6, ipv6->address.data(), ipv6->address.size()));
  if (address) nl_addr_set_prefixlen(address.get(), ipv6->length);
  return {std::move(address), std::nullopt};
}

absl::Status AddAddress(nl_sock* socket, uint32_t interface_index, const Parsed& parsed) {
  const NlInterfaceAddress request(rtnl_addr_alloc());
  const NlAddress& local = parsed.address;
  if (!request || !local) return absl::ResourceExhaustedError("out of memory");
  rtnl_addr_set_ifindex(request.get(), static_cast<int>(interface_index));
  rtnl_addr_set_local(request.get(), local.get());
  if (!parsed.ipv4) {
    // It is to be used at once; another host that has it would be a mistake of the operator's.
    rtnl_addr_set_flags(request.get(), IFA_F_NODAD);
  } else if (parsed.ipv4->length < 31) {
    // As `ip addr add … brd +` would: /31 and /32 have none (RFC 3021).
    const NlAddress broadcast = Ipv4Address(parsed.ipv4->Last(), 32);
    rtnl_addr_set_broadcast(request.get(), broadcast.get());
  }
  const int error = rtnl_addr_add(socket, request.get(), 0);
  if (error < 0 && error != -NLE_EXIST) return absl::InternalError(nl_geterror(error));
  return absl::OkStatus();
}

absl::Status AddRoute(nl_sock* socket, uint32_t interface_index, const Parsed& parsed,
                      uint32_t gateway) {
  const NlRoute request(rtnl_route_alloc());
  const NlAddress& destination = parsed.address;
  rtnl_nexthop* next_hop = rtnl_route_nh_alloc();
  if (!request || !destination || next_hop == nullptr) {
    return absl::ResourceExhaustedError("out of memory");
  }
  rtnl_route_nh_set_ifindex(next_hop, static_cast<int>(interface_index));
  if (gateway != 0) {
    rtnl_route_nh_set_gateway(next_hop, Ipv4Address(gateway, 32).get());
  }
  rtnl_route_add_nexthop(request.get(), next_hop);  // owns it now
  rtnl_route_set_family(request.get(), parsed.ipv4 ? AF_INET : AF_INET6);
  rtnl_route_set_table(request.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(request.get(), RTPROT_STATIC);
  rtnl_route_set_scope(request.get(),
                       parsed.ipv4 && gateway == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
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
    const Parsed address = ParseAny(config::ParseInterface(text), config::ParseInterface6(text));
    const absl::Status status = address.address
                                    ? AddAddress(socket.get(), interface_index, address)
                                    : absl::InvalidArgumentError("not of the form 192.0.2.1/24");
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("interface ", interface, ": address ", text,
                                                      ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status AddRoutes(const std::string& interface, uint32_t interface_index,
                       const std::vector<std::string>& prefixes, uint32_t gateway) {
  const NlSocket socket = RouteSocket();
  if (!socket) return absl::InternalError("no netlink socket");
  for (const std::string& text : prefixes) {
    const Parsed prefix = ParseAny(config::ParsePrefix(text), config::ParsePrefix6(text));
    const absl::Status status = prefix.address
                                    ? AddRoute(socket.get(), interface_index, prefix, gateway)
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
