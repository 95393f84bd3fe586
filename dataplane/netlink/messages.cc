#include "dataplane/netlink/messages.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "dataplane/netlink/handles.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {
namespace {

// The kernel may send to a neighbour in these states (its NUD_VALID, less NUD_NOARP, which is
// multicast on Ethernet).
constexpr int kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;

template <typename Address>
constexpr int kFamily = sizeof(Address) == sizeof(uint32_t) ? AF_INET : AF_INET6;

// Host order; a default route's destination has no octets.
template <typename Address>
Address HostAddress(const nl_addr* address) {
  if (address == nullptr || nl_addr_get_len(address) != sizeof(Address)) return 0;
  const auto* octets = static_cast<const uint8_t*>(nl_addr_get_binary_addr(address));
  Address result = 0;
  for (size_t i = 0; i < sizeof(Address); ++i) result = result << 8 | octets[i];
  return result;
}

// Whether a prefix never leaves a link or the host (RFC 4291 s2.4): the kernel has such routes on
// each interface.
constexpr bool IsForTheLink(uint32_t /*prefix*/) { return false; }
bool IsForTheLink(Ipv6Number prefix) {
  const auto top = static_cast<unsigned>(absl::Uint128High64(prefix) >> 48);
  return prefix == 1 || (top & 0xffc0) == 0xfe80 || top >> 8 == 0xff;
}

template <typename Address>
BasicKernelNextHop<Address> NextHopOf(rtnl_nexthop* hop) {
  BasicKernelNextHop<Address> result;
  result.interface_index = static_cast<uint32_t>(rtnl_route_nh_get_ifindex(hop));
  result.gateway = HostAddress<Address>(rtnl_route_nh_get_gateway(hop));
  result.dead = (rtnl_route_nh_get_flags(hop) & RTNH_F_DEAD) != 0;
  const nl_addr* via = rtnl_route_nh_get_via(hop);
  result.foreign_family = via != nullptr && nl_addr_get_family(via) != kFamily<Address>;
  return result;
}

std::optional<KernelRouteType> TypeOf(uint8_t type) {
  switch (type) {
    case RTN_UNICAST:
      return KernelRouteType::kUnicast;
    case RTN_LOCAL:
    case RTN_BROADCAST:
    case RTN_ANYCAST:
      return KernelRouteType::kLocal;
    case RTN_BLACKHOLE:
    case RTN_UNREACHABLE:
    case RTN_PROHIBIT:
      return KernelRouteType::kDiscard;
    default:
      return std::nullopt;
  }
}

}  // namespace

template <typename Address>
std::optional<BasicKernelRoute<Address>> RouteOf(nlmsghdr* message) {
  rtnl_route* parsed = nullptr;
  if (rtnl_route_parse(message, &parsed) < 0) return std::nullopt;
  const NlRoute route(parsed);
  const uint32_t table = rtnl_route_get_table(parsed);
  const auto type = TypeOf(rtnl_route_get_type(parsed));
  if (rtnl_route_get_family(parsed) != kFamily<Address> || rtnl_route_get_tos(parsed) != 0 ||
      (rtnl_route_get_flags(parsed) & RTM_F_CLONED) != 0 || !type ||
      (table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL)) {
    return std::nullopt;
  }
  BasicKernelRoute<Address> result;
  const nl_addr* destination = rtnl_route_get_dst(parsed);
  result.prefix = HostAddress<Address>(destination);
  result.len = destination == nullptr ? uint8_t{0}
                                      : static_cast<uint8_t>(nl_addr_get_prefixlen(destination));
  if (IsForTheLink(result.prefix)) return std::nullopt;
  result.local_table = table == RT_TABLE_LOCAL;
  result.priority = rtnl_route_get_priority(parsed);
  result.type = *type;
  const int num_hops = rtnl_route_get_nnexthops(parsed);
  for (int i = 0; i < num_hops; ++i) {
    result.next_hops.push_back(NextHopOf<Address>(rtnl_route_nexthop_n(parsed, i)));
  }
  return result;
}

template std::optional<BasicKernelRoute<uint32_t>> RouteOf<uint32_t>(nlmsghdr* message);
template std::optional<BasicKernelRoute<Ipv6Number>> RouteOf<Ipv6Number>(nlmsghdr* message);

std::optional<KernelNeighbour> NeighbourOf(nlmsghdr* message) {
  rtnl_neigh* parsed = nullptr;
  if (rtnl_neigh_parse(message, &parsed) < 0) return std::nullopt;
  const NlNeighbour neighbour(parsed);
  const nl_addr* address = rtnl_neigh_get_dst(parsed);
  const int family = address == nullptr ? AF_UNSPEC : nl_addr_get_family(address);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;

  KernelNeighbour result;
  result.interface_index = static_cast<uint32_t>(rtnl_neigh_get_ifindex(parsed));
  result.is_ipv6 = family == AF_INET6;
  result.address = result.is_ipv6 ? HostAddress<Ipv6Number>(address)
                                  : Ipv6Number{HostAddress<uint32_t>(address)};
  // libnl gives -1 for "no state": NUD_NONE.
  const int state = std::max(rtnl_neigh_get_state(parsed), 0);
  if ((state & NUD_NOARP) != 0) return std::nullopt;
  const nl_addr* mac = rtnl_neigh_get_lladdr(parsed);
  if ((state & kUsable) != 0 && mac != nullptr && nl_addr_get_len(mac) == sizeof(MacAddress)) {
    MacAddress octets;
    memcpy(octets.data(), nl_addr_get_binary_addr(mac), octets.size());
    result.mac = octets;
  }
  return result;
}

std::optional<KernelAddress> AddressOf(nlmsghdr* message) {
  nlattr* attributes[IFA_MAX + 1];
  if (nlmsg_parse(message, sizeof(ifaddrmsg), attributes, IFA_MAX, nullptr) < 0) {
    return std::nullopt;
  }
  const auto* header = static_cast<const ifaddrmsg*>(nlmsg_data(message));
  constexpr uint32_t kNotForUse =
      IFA_F_SECONDARY | IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_DADFAILED;
  const uint32_t flags = attributes[IFA_FLAGS] != nullptr ? nla_get_u32(attributes[IFA_FLAGS])
                                                          : uint32_t{header->ifa_flags};
  if (header->ifa_scope != RT_SCOPE_UNIVERSE || (flags & kNotForUse) != 0) return std::nullopt;
  KernelAddress result;
  result.is_ipv6 = header->ifa_family == AF_INET6;
  result.interface_index = header->ifa_index;
  const size_t len = result.is_ipv6 ? 16 : 4;
  // On a point-to-point interface IFA_ADDRESS is the other end's.
  const nlattr* address =
      attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
  if (address == nullptr || static_cast<size_t>(nla_len(address)) != len) return std::nullopt;
  memcpy(result.octets.data(), nla_data(address), len);
  return result;
}

}  // namespace culvert::dataplane
