#include "dataplane/netlink/mirror.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "dataplane/forwarding/routing.h"
#include "proto/config/address/address.h"

namespace culvert::dataplane {
namespace {

constexpr int kRoundMs = 5;
constexpr int kReceiveBuffer = 32 << 20;  // some ten thousand routes
// The kernel's own time before a neighbour goes stale is 15-45 s.
constexpr auto kTouchEvery = std::chrono::seconds(10);
constexpr int kMaxTouchesPerRound = 8;
constexpr int kMaxDumpTries = 5;
constexpr auto kResyncPause = std::chrono::milliseconds(200);

std::string Text(uint32_t prefix, uint8_t len) { return config::FormatPrefix({prefix, len}); }
std::string Text(Ipv6Number prefix, uint8_t len) { return Ipv6Routing::Text(prefix, len); }

void Warn(const std::string& prefix, const absl::Status& status) {
  if (!status.ok()) spdlog::warn("route {}: {}", prefix, std::string(status.message()));
}

}  // namespace

Mirror::Mirror(Datapath* datapath, OwnInterfaces own)
    : datapath_(datapath), own_(std::move(own)), routes_(own_), ipv6_routes_(own_) {
  for (const auto& [interface, port] : own_.ports) port_interfaces_[port] = interface;
}

absl::Status Mirror::Start() {
  absl::Status status = Subscribe();
  if (status.ok()) status = Resync();
  if (!status.ok()) return status;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "netlink");
  return absl::OkStatus();
}

void Mirror::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

absl::Status Mirror::Subscribe() {
  news_ = RouteSocket();
  requests_ = RouteSocket();
  if (!news_ || !requests_) return absl::InternalError("no netlink socket");

  const auto on_message = [](nl_msg* message, void* self) {
    static_cast<Mirror*>(self)->OnMessage(nlmsg_hdr(message));
    return static_cast<int>(NL_OK);
  };
  nl_socket_modify_cb(news_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, this);
  nl_socket_modify_cb(requests_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, this);
  nl_socket_disable_seq_check(news_.get());
  nl_socket_set_nonblocking(news_.get());
  // Beyond net.core.rmem_max, with CAP_NET_ADMIN; when the buffer runs over all the same, ENOBUFS
  // makes us dump again.
  (void)setsockopt(nl_socket_get_fd(news_.get()), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer,
                   sizeof(kReceiveBuffer));
  const int error =
      nl_socket_add_memberships(news_.get(), RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH,
                                RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0);
  return error < 0 ? NlError("netlink subscription", error) : absl::OkStatus();
}

absl::Status Mirror::Resync() {
  resync_ = false;
  absl::Status status = DumpRoutes(AF_INET, &routes_);
  status.Update(DumpRoutes(AF_INET6, &ipv6_routes_));
  status.Update(DumpNeighbours());
  status.Update(DumpAddresses());
  return status;
}

template <typename Table>
absl::Status Mirror::DumpRoutes(unsigned char family, Table* table) {
  rtmsg header{};
  header.rtm_family = family;
  absl::Status status;
  for (int i = 0; i < kMaxDumpTries; ++i) {
    table->Clear();
    status = Dump(RTM_GETROUTE, &header, sizeof(header));
    if (status.ok()) break;
  }
  // An incomplete dump would take away routes that are there.
  if (status.ok()) table->Flush(this);
  return status;
}

absl::Status Mirror::DumpNeighbours() {
  ndmsg header{};
  header.ndm_family = AF_UNSPEC;
  dumped_.clear();
  dumping_ = true;
  const absl::Status status = Dump(RTM_GETNEIGH, &header, sizeof(header));
  dumping_ = false;
  if (!status.ok()) return status;
  for (auto it = neighbours_.begin(); it != neighbours_.end();) {
    if (dumped_.count(it->first) == 0) {
      RemoveNeighbour(it->first);
      it = neighbours_.erase(it);
    } else {
      ++it;
    }
  }
  return absl::OkStatus();
}

absl::Status Mirror::DumpAddresses() {
  ifaddrmsg header{};
  header.ifa_family = AF_UNSPEC;
  addresses_.clear();
  addresses_changed_ = false;
  dumping_addresses_ = true;
  const absl::Status status = Dump(RTM_GETADDR, &header, sizeof(header));
  dumping_addresses_ = false;
  if (!status.ok()) return status;
  const auto tell = [this](uint32_t interface_index, uint16_t interface) {
    const KernelAddress ipv4 = addresses_[{interface_index, false}];
    const KernelAddress ipv6 = addresses_[{interface_index, true}];
    datapath_->own_addresses().SetIpv4(interface, wire::LoadBe32(ipv4.octets.data()));
    datapath_->own_addresses().SetIpv6(interface, ipv6.octets);
  };
  for (const auto& [interface_index, port] : own_.ports) tell(interface_index, port);
  if (own_.clients != 0) tell(own_.clients, OwnAddresses::kClients);
  return absl::OkStatus();
}

absl::Status Mirror::Dump(int type, void* header, size_t len) {
  int error = nl_send_simple(requests_.get(), type, NLM_F_DUMP, header, len);
  if (error >= 0) error = nl_recvmsgs_default(requests_.get());
  return error < 0 ? NlError("netlink dump", error) : absl::OkStatus();
}

void Mirror::Run() {
  pollfd news{.fd = nl_socket_get_fd(news_.get()), .events = POLLIN, .revents = 0};
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (poll(&news, 1, kRoundMs) > 0) ReadNews();
    if (resync_) {
      const absl::Status status = Resync();
      if (!status.ok()) {
        spdlog::warn("routes and neighbours: {}; trying again", std::string(status.message()));
        resync_ = true;
        std::this_thread::sleep_for(kResyncPause);
      }
    }
    if (addresses_changed_ && !resync_) resync_ = !DumpAddresses().ok();
    // Half a dump must not be told.
    if (!resync_) Flush();
    ResolveWanted();
    TouchNeighbours(Clock::now());
  }
}

void Mirror::Flush() {
  routes_.Flush(this);
  ipv6_routes_.Flush(this);
}

void Mirror::ReadNews() {
  int error = 0;
  bool lost = false;
  // NLE_NOMEM is libnl's name for ENOBUFS: the kernel has dropped news. It goes on to drop them,
  // without a word, until all that it has queued is read, so a dump before that would be in vain.
  do {
    error = nl_recvmsgs_default(news_.get());
    lost = lost || error == -NLE_NOMEM;
  } while (error >= 0 || error == -NLE_NOMEM);
  if (lost) {
    spdlog::info("netlink news lost in a burst; reading all routes and neighbours again");
    resync_ = true;
  }
}

void Mirror::OnMessage(nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      OnRoute(message, &routes_);
      OnRoute(message, &ipv6_routes_);
      break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      OnNeighbour(message);
      break;
    case RTM_NEWADDR:
      OnAddress(message);
      break;
    case RTM_NEWLINK:
      OnLink(message);
      break;
    // The kernel takes IPv4 routes away without a word when an interface goes down or an address
    // goes, and marks next hops dead.
    case RTM_DELLINK:
    case RTM_DELADDR:
      resync_ = true;
      break;
    default:
      break;
  }
}

void Mirror::OnLink(nlmsghdr* message) {
  const auto* link = static_cast<const ifinfomsg*>(nlmsg_data(message));
  const unsigned state = link->ifi_flags & (IFF_UP | IFF_RUNNING | IFF_LOWER_UP);
  const auto [known, is_new] = links_.try_emplace(link->ifi_index, state);
  // Most news of links are about something else.
  resync_ = resync_ || is_new || known->second != state;
  known->second = state;
}

template <typename Address>
void Mirror::OnRoute(nlmsghdr* message, BasicRouteTable<Address>* table) {
  const auto route = RouteOf<Address>(message);
  if (!route) return;
  if (message->nlmsg_type == RTM_DELROUTE) {
    table->Remove(*route);
    return;
  }
  if (route->next_hops.size() > 1 && !said_multipath_) {
    said_multipath_ = true;
    spdlog::warn(
        "route {} has several next hops; the first usable one is taken, here and for "
        "every such route",
        Text(route->prefix, route->len));
  }
  table->Add(*route, (message->nlmsg_flags & NLM_F_REPLACE) != 0);
}

void Mirror::OnNeighbour(nlmsghdr* message) {
  const auto neighbour = NeighbourOf(message);
  if (!neighbour) return;
  const auto port = own_.ports.find(neighbour->interface_index);
  if (port == own_.ports.end()) return;
  const Neighbour key{neighbour->is_ipv6, port->second, neighbour->address};
  if (message->nlmsg_type == RTM_NEWNEIGH && neighbour->mac) {
    SetNeighbour(key, *neighbour->mac);
    neighbours_.emplace(key, Clock::now());
    if (dumping_) dumped_.insert(key);
  } else if (neighbours_.erase(key) > 0) {
    RemoveNeighbour(key);
  }
}

void Mirror::OnAddress(nlmsghdr* message) {
  if (!dumping_addresses_) {
    addresses_changed_ = true;  // which one is first, a dump tells
    return;
  }
  if (const auto address = AddressOf(message)) {
    addresses_.emplace(std::pair(address->interface_index, address->is_ipv6), *address);
  }
}

void Mirror::SetNeighbour(const Neighbour& neighbour, const MacAddress& mac) {
  const auto& [is_ipv6, port, address] = neighbour;
  if (is_ipv6) {
    datapath_->SetIpv6Neighbour(port, address, mac);
  } else {
    datapath_->SetNeighbour(port, static_cast<uint32_t>(address), mac);
  }
}

void Mirror::RemoveNeighbour(const Neighbour& neighbour) {
  const auto& [is_ipv6, port, address] = neighbour;
  if (is_ipv6) {
    datapath_->RemoveIpv6Neighbour(port, address);
  } else {
    datapath_->RemoveNeighbour(port, static_cast<uint32_t>(address));
  }
}

void Mirror::ResolveWanted() {
  for (const auto& [port, address] : datapath_->TakeUnresolved()) Use({false, port, address});
  for (const auto& [port, address] : datapath_->TakeIpv6Unresolved()) Use({true, port, address});
}

void Mirror::TouchNeighbours(Clock::time_point now) {
  // The workers' traffic does not show the kernel that a neighbour is in use. Told so, it asks
  // again before it forgets; who no longer answers fails and goes.
  int touched = 0;
  for (auto& [neighbour, last_use] : neighbours_) {
    if (now - last_use < kTouchEvery) continue;
    last_use = now;
    Use(neighbour);
    if (++touched == kMaxTouchesPerRound) break;
  }
}

void Mirror::Use(const Neighbour& neighbour) {
  const auto& [is_ipv6, port, number] = neighbour;
  const auto interface = port_interfaces_.find(port);
  const NlNeighbour request(rtnl_neigh_alloc());
  const NlAddress address =
      is_ipv6 ? Ipv6NlAddress(number, 128) : Ipv4Address(static_cast<uint32_t>(number), 32);
  if (interface == port_interfaces_.end() || !request || !address) return;
  rtnl_neigh_set_ifindex(request.get(), static_cast<int>(interface->second));
  rtnl_neigh_set_dst(request.get(), address.get());
  rtnl_neigh_set_flags(request.get(), NTF_USE);
  rtnl_neigh_set_state(request.get(), NUD_NONE);
  // An error means that the TAP is down or the kernel's table is full: nothing to be done here.
  (void)rtnl_neigh_add(requests_.get(), request.get(), NLM_F_CREATE);
}

void Mirror::Set(uint32_t prefix, uint8_t len, const RouteTarget& target) {
  Warn(Text(prefix, len), datapath_->SetRoute(prefix, len, target));
}

void Mirror::Remove(uint32_t prefix, uint8_t len) {
  Warn(Text(prefix, len), datapath_->RemoveRoute(prefix, len));
}

void Mirror::Set(Ipv6Number prefix, uint8_t len, const Ipv6RouteTarget& target) {
  Warn(Text(prefix, len), datapath_->SetIpv6Route(prefix, len, target));
}

void Mirror::Remove(Ipv6Number prefix, uint8_t len) {
  Warn(Text(prefix, len), datapath_->RemoveIpv6Route(prefix, len));
}

}  // namespace culvert::dataplane
