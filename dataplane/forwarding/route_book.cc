#include "dataplane/forwarding/route_book.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

namespace culvert::dataplane {

template <typename Family>
absl::Status BasicRouteBook<Family>::Check(Address prefix, uint8_t len,
                                           const Target& target) const {
  if (len > kBits || (prefix & ~Mask(len)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix: length ", len, ": must be 0 to ", kBits, ", host bits zero"));
  }
  if (target.kind == RouteKind::kAdjacency && target.port >= ports_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("port: ", target.port, ": must be below ", ports_.size()));
  }
  return absl::OkStatus();
}

template <typename Family>
absl::Status BasicRouteBook<Family>::SetRoute(Address prefix, uint8_t len, const Target& target) {
  if (absl::Status status = Check(prefix, len, target); !status.ok()) {
    return status;
  }
  const std::lock_guard lock(mutex_);
  const bool via = target.kind == RouteKind::kAdjacency && target.gateway != 0;
  if (via) {
    Neighbour* gateway = FindOrInsert(MakeHost(target.port, target.gateway));
    if (gateway == nullptr) {
      return absl::ResourceExhaustedError("too many next hops");
    }
    ++gateway->num_routes;
  }
  const bool asked_clients = AsksClients(prefix, len);
  auto [entry, is_new] = routes_.try_emplace(MakePrefix(prefix, len), target);
  const Target old = entry->second;
  entry->second = target;
  num_routes_of_len_[len] += is_new ? 1 : 0;
  const absl::Status status = ApplyAll(prefix, len, asked_clients);
  if (!is_new) {
    Unreference(old);
  }
  return status;
}

template <typename Family>
absl::Status BasicRouteBook<Family>::RemoveRoute(Address prefix, uint8_t len) {
  const std::lock_guard lock(mutex_);
  auto entry = routes_.find(MakePrefix(prefix, len));
  if (entry == routes_.end()) {
    return absl::NotFoundError("no such route");
  }
  const Target old = entry->second;
  const bool asked_clients = AsksClients(prefix, len);
  routes_.erase(entry);
  --num_routes_of_len_[len];
  const absl::Status status = ApplyAll(prefix, len, asked_clients);
  Unreference(old);
  return status;
}

template <typename Family>
void BasicRouteBook<Family>::SetNeighbour(uint16_t port, Address address, const MacAddress& mac) {
  const std::lock_guard lock(mutex_);
  const Host host = MakeHost(port, address);
  if (port >= ports_.size() || FindOrInsert(host) == nullptr) {
    return;
  }
  neighbours_[host].resolved = true;
  Describe(host, &mac);
  Apply(address, kBits).IgnoreError();
}

template <typename Family>
void BasicRouteBook<Family>::RemoveNeighbour(uint16_t port, Address address) {
  const std::lock_guard lock(mutex_);
  const Host host = MakeHost(port, address);
  auto entry = neighbours_.find(host);
  if (entry == neighbours_.end() || !entry->second.resolved) {
    return;
  }
  entry->second.resolved = false;
  Describe(host, nullptr);
  Apply(address, kBits).IgnoreError();
  EraseIfUnused(host);
}

template <typename Family>
typename BasicRouteBook<Family>::Neighbour* BasicRouteBook<Family>::FindOrInsert(Host host) {
  auto entry = neighbours_.find(host);
  if (entry != neighbours_.end()) {
    return &entry->second;
  }
  EthernetAdjacency adjacency;
  adjacency.port = host.second;
  Family::SetAddress(host.first, &adjacency);
  const uint32_t slot = adjacencies_->Insert(adjacency);
  if (slot == AdjacencyTable::kFull) {
    return nullptr;
  }
  return &neighbours_.emplace(host, Neighbour{slot, 0, false}).first->second;
}

template <typename Family>
void BasicRouteBook<Family>::Unreference(const Target& target) {
  if (target.kind == RouteKind::kAdjacency && target.gateway != 0) {
    const Host gateway = MakeHost(target.port, target.gateway);
    --neighbours_[gateway].num_routes;
    EraseIfUnused(gateway);
  }
}

template <typename Family>
void BasicRouteBook<Family>::EraseIfUnused(Host host) {
  auto entry = neighbours_.find(host);
  if (entry->second.num_routes == 0 && !entry->second.resolved) {
    adjacencies_->Erase(entry->second.slot);
    neighbours_.erase(entry);
  }
}

// Describe publishes the adjacency of a neighbour; no `mac`: unresolved.
template <typename Family>
void BasicRouteBook<Family>::Describe(Host host, const MacAddress* mac) {
  EthernetAdjacency adjacency;
  adjacency.port = host.second;
  Family::SetAddress(host.first, &adjacency);
  const PortSpec& port = ports_[adjacency.port];
  adjacency.mtu = port.mtu;
  if (mac != nullptr) {
    adjacency.resolved = true;
    auto at = std::copy(mac->begin(), mac->end(), adjacency.header.begin());
    at = std::copy(port.mac.begin(), port.mac.end(), at);
    if (port.vlan != 0) {
      *at++ = 0x81;  // IEEE 802.1Q, priority 0
      *at++ = 0x00;
      *at++ = static_cast<uint8_t>(port.vlan >> 8);
      *at++ = static_cast<uint8_t>(port.vlan);
    }
    *at++ = Family::kEtherType >> 8;
    *at++ = Family::kEtherType & 0xff;
    adjacency.header_len = static_cast<uint16_t>(at - adjacency.header.begin());
  }
  adjacencies_->Replace(neighbours_[host].slot, adjacency);
}

template <typename Family>
const typename BasicRouteBook<Family>::Target* BasicRouteBook<Family>::Best(Address address,
                                                                            uint8_t max_len) const {
  for (int len = max_len; len >= 0; --len) {
    if (num_routes_of_len_[len] == 0) {
      continue;
    }
    const auto entry = routes_.find(
        MakePrefix(address & Mask(static_cast<uint8_t>(len)), static_cast<uint8_t>(len)));
    if (entry != routes_.end()) {
      return &entry->second;
    }
  }
  return nullptr;
}

template <typename Family>
bool BasicRouteBook<Family>::AsksClients(Address prefix, uint8_t len) const {
  const Target* best = Best(prefix, len);
  return best != nullptr && best->kind == RouteKind::kClients;
}

template <typename Family>
NextHop BasicRouteBook<Family>::OfTarget(const Target& target) const {
  switch (target.kind) {
    case RouteKind::kLocal:
      return {NextHop::Kind::kLocal};
    case RouteKind::kClients:
      return {NextHop::Kind::kClients};
    case RouteKind::kBlackhole:
      return {NextHop::Kind::kBlackhole};
    case RouteKind::kAdjacency:
      break;
  }
  if (target.gateway == 0) {
    return {NextHop::Kind::kOnLink, target.port};
  }
  return {NextHop::Kind::kAdjacency, neighbours_.at(MakeHost(target.port, target.gateway)).slot};
}

// Wanted is the value for a prefix; kNone: no entry.
template <typename Family>
NextHop BasicRouteBook<Family>::Wanted(Address prefix, uint8_t len) const {
  const auto route = routes_.find(MakePrefix(prefix, len));
  const bool local = route != routes_.end() && route->second.kind == RouteKind::kLocal;
  if (const auto call = call_routes_.find(MakePrefix(prefix, len));
      !local && call != call_routes_.end()) {
    return {NextHop::Kind::kCall, call->second};
  }
  if (len == kClientLen) {
    const uint32_t call = clients_->Find(prefix);
    if (!local && call != ClientTable::kNone && !AsksClients(prefix, len)) {
      return {NextHop::Kind::kCall, call};
    }
  }
  if (len == kBits && CallRouteOver(prefix, len) == nullptr) {
    const Target* best = Best(prefix, len);
    if (best != nullptr && best->kind == RouteKind::kAdjacency && best->gateway == 0) {
      const auto host = neighbours_.find(MakeHost(best->port, prefix));
      if (host != neighbours_.end() && host->second.resolved) {
        return {NextHop::Kind::kAdjacency, host->second.slot};
      }
    }
  }
  return route == routes_.end() ? NextHop() : OfTarget(route->second);
}

template <typename Family>
absl::Status BasicRouteBook<Family>::Apply(Address prefix, uint8_t len) {
  const NextHop hop = Wanted(prefix, len);
  if (hop.kind() == NextHop::Kind::kNone) {
    fib_->Erase(prefix, len);
    return absl::OkStatus();
  }
  return fib_->Set(prefix, len, hop);
}

// ApplyAll puts a changed route into force; at any time packets find the calls.
template <typename Family>
absl::Status BasicRouteBook<Family>::ApplyAll(Address prefix, uint8_t len, bool asked_clients) {
  const bool asks_clients = AsksClients(prefix, len);
  if (asked_clients && !asks_clients) {
    ApplyCalls(prefix, len);
  }
  absl::Status status = Apply(prefix, len);
  ApplyHosts(prefix, len);
  if (!asked_clients && asks_clients) {
    ApplyCalls(prefix, len);
  }
  return status;
}

// ApplyHosts looks again at the hosts that a changed route may have put on link or taken off.
template <typename Family>
void BasicRouteBook<Family>::ApplyHosts(Address prefix, uint8_t len) {
  const Host last = MakeHost(UINT16_MAX, prefix | ~Mask(len));
  std::vector<Address> hosts;
  for (auto at = neighbours_.lower_bound(MakeHost(0, prefix));
       at != neighbours_.end() && at->first <= last; ++at) {
    if (at->second.resolved) {
      hosts.push_back(at->first.first);
    }
  }
  for (const Address address : hosts) {
    Apply(address, kBits).IgnoreError();
  }
}

template class BasicRouteBook<Ipv4Routing>;
template class BasicRouteBook<Ipv6Routing>;

}  // namespace culvert::dataplane
