#include "dataplane/netlink/route_table.h"

#include <algorithm>

namespace culvert::dataplane {
namespace {

// RFC 1122 s3.2.1.3 (g): 127/8 must not appear outside a host; nor may the wire reach ours.
constexpr bool IsLoopback(uint32_t address) { return address >> 24 == 127; }
constexpr bool IsLoopback(Ipv6Number address) { return address == 1; }

template <typename KernelRoute>
bool Before(const KernelRoute& a, const KernelRoute& b) {
  if (a.local_table != b.local_table) return a.local_table;
  return a.priority < b.priority;
}

template <typename Target>
bool Same(const Target& a, const Target& b) {
  return a.kind == b.kind && a.port == b.port && a.gateway == b.gateway;
}

}  // namespace

template <typename Address>
void BasicRouteTable<Address>::Add(const KernelRoute& route, bool replace) {
  const Prefix key{route.prefix, route.len};
  std::vector<KernelRoute>& routes = routes_[key];
  if (std::find(routes.begin(), routes.end(), route) != routes.end()) return;
  dirty_.insert(key);
  if (replace) {
    const auto old = std::find_if(routes.begin(), routes.end(), [&](const KernelRoute& other) {
      return other.local_table == route.local_table && other.priority == route.priority;
    });
    if (old != routes.end()) {
      *old = route;
      return;
    }
  }
  routes.insert(std::upper_bound(routes.begin(), routes.end(), route, Before<KernelRoute>), route);
}

template <typename Address>
void BasicRouteTable<Address>::Remove(const KernelRoute& route) {
  const Prefix key{route.prefix, route.len};
  const auto entry = routes_.find(key);
  if (entry == routes_.end()) return;
  std::vector<KernelRoute>& routes = entry->second;
  // A dead mark may differ between the news and what we know of the same route.
  const auto found = std::find_if(routes.begin(), routes.end(), [&](const KernelRoute& other) {
    return other.local_table == route.local_table && other.priority == route.priority &&
           other.type == route.type &&
           std::equal(other.next_hops.begin(), other.next_hops.end(), route.next_hops.begin(),
                      route.next_hops.end(), [](const auto& a, const auto& b) {
                        return a.interface_index == b.interface_index && a.gateway == b.gateway;
                      });
  });
  if (found == routes.end()) return;
  routes.erase(found);
  if (routes.empty()) routes_.erase(entry);
  dirty_.insert(key);
}

template <typename Address>
void BasicRouteTable<Address>::Clear() {
  routes_.clear();
  for (const auto& told : told_) dirty_.insert(told.first);
}

template <typename Address>
void BasicRouteTable<Address>::Flush(Sink* sink) {
  for (const Prefix& key : dirty_) {
    const auto entry = routes_.find(key);
    const auto told = told_.find(key);
    if (entry == routes_.end()) {
      if (told == told_.end()) continue;
      sink->Remove(key.first, key.second);
      told_.erase(told);
      continue;
    }
    const Target target = TargetOf(entry->second.front());
    if (told != told_.end() && Same(told->second, target)) continue;
    sink->Set(key.first, key.second, target);
    told_[key] = target;
  }
  dirty_.clear();
}

template <typename Address>
typename BasicRouteTable<Address>::Target BasicRouteTable<Address>::TargetOf(
    const KernelRoute& route) const {
  Target target;  // a blackhole
  if (route.type == KernelRoute::Type::kDiscard) return target;
  if (route.type == KernelRoute::Type::kLocal) {
    if (!IsLoopback(route.prefix)) target.kind = RouteKind::kLocal;
    return target;
  }
  for (const auto& hop : route.next_hops) {
    if (hop.dead || hop.foreign_family) continue;
    if (hop.interface_index == own_.clients && own_.clients != 0) {
      target.kind = RouteKind::kClients;
      return target;
    }
    const auto port = own_.ports.find(hop.interface_index);
    // An interface that is the kernel's alone: the workers cannot send there.
    if (port == own_.ports.end()) continue;
    target.kind = RouteKind::kAdjacency;
    target.port = port->second;
    target.gateway = hop.gateway;
    return target;
  }
  return target;
}

template class BasicRouteTable<uint32_t>;
template class BasicRouteTable<Ipv6Number>;

}  // namespace culvert::dataplane
