#include "dataplane/forwarding/route_book.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

namespace culvert::dataplane {
absl::Status RouteBook::Check(uint32_t prefix, uint8_t len, const RouteTarget& target) const {
  if (len > 32 || (prefix & ~Mask(len)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix: length ", len, ": must be 0 to 32, host bits zero"));
  }
  if (target.kind == RouteTarget::Kind::kAdjacency && target.port >= ports_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("port: ", target.port, ": must be below ", ports_.size()));
  }
  return absl::OkStatus();
}

absl::Status RouteBook::SetRoute(uint32_t prefix, uint8_t len, const RouteTarget& target) {
  if (absl::Status status = Check(prefix, len, target); !status.ok()) {
    return status;
  }
  const std::lock_guard lock(mutex_);
  const bool via = target.kind == RouteTarget::Kind::kAdjacency && target.gateway != 0;
  if (via) {
    Neighbour* gateway = FindOrInsert(MakeHost(target.port, target.gateway));
    if (gateway == nullptr) {
      return absl::ResourceExhaustedError("too many next hops");
    }
    ++gateway->num_routes;
  }
  const bool asked_clients = AsksClients(prefix, len);
  auto [entry, is_new] = routes_.try_emplace(MakePrefix(prefix, len), target);
  const RouteTarget old = entry->second;
  entry->second = target;
  num_routes_of_len_[len] += is_new ? 1 : 0;
  const absl::Status status = ApplyAll(prefix, len, asked_clients);
  if (!is_new) {
    Unreference(old);
  }
  return status;
}

absl::Status RouteBook::RemoveRoute(uint32_t prefix, uint8_t len) {
  const std::lock_guard lock(mutex_);
  auto entry = routes_.find(MakePrefix(prefix, len));
  if (entry == routes_.end()) {
    return absl::NotFoundError("no such route");
  }
  const RouteTarget old = entry->second;
  const bool asked_clients = AsksClients(prefix, len);
  routes_.erase(entry);
  --num_routes_of_len_[len];
  const absl::Status status = ApplyAll(prefix, len, asked_clients);
  Unreference(old);
  return status;
}

void RouteBook::SetNeighbour(uint16_t port, uint32_t address, const MacAddress& mac) {
  const std::lock_guard lock(mutex_);
  const Host host = MakeHost(port, address);
  if (port >= ports_.size() || FindOrInsert(host) == nullptr) {
    return;
  }
  neighbours_[host].resolved = true;
  Describe(host, &mac);
  Apply(address, 32).IgnoreError();
}

void RouteBook::RemoveNeighbour(uint16_t port, uint32_t address) {
  const std::lock_guard lock(mutex_);
  const Host host = MakeHost(port, address);
  auto entry = neighbours_.find(host);
  if (entry == neighbours_.end() || !entry->second.resolved) {
    return;
  }
  entry->second.resolved = false;
  Describe(host, nullptr);
  Apply(address, 32).IgnoreError();
  EraseIfUnused(host);
}

RouteBook::Neighbour* RouteBook::FindOrInsert(Host host) {
  auto entry = neighbours_.find(host);
  if (entry != neighbours_.end()) {
    return &entry->second;
  }
  EthernetAdjacency adjacency;
  adjacency.port = PortOf(host);
  adjacency.address = AddressOf(host);
  const uint32_t slot = adjacencies_->Insert(adjacency);
  if (slot == AdjacencyTable::kFull) {
    return nullptr;
  }
  return &neighbours_.emplace(host, Neighbour{slot, 0, false}).first->second;
}

void RouteBook::Unreference(const RouteTarget& target) {
  if (target.kind == RouteTarget::Kind::kAdjacency && target.gateway != 0) {
    const Host gateway = MakeHost(target.port, target.gateway);
    --neighbours_[gateway].num_routes;
    EraseIfUnused(gateway);
  }
}

void RouteBook::EraseIfUnused(Host host) {
  auto entry = neighbours_.find(host);
  if (entry->second.num_routes == 0 && !entry->second.resolved) {
    adjacencies_->Erase(entry->second.slot);
    neighbours_.erase(entry);
  }
}

// Describe publishes the adjacency of a neighbour; no `mac`: unresolved.
void RouteBook::Describe(Host host, const MacAddress* mac) {
  EthernetAdjacency adjacency;
  adjacency.port = PortOf(host);
  adjacency.address = AddressOf(host);
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
    *at++ = 0x08;  // IPv4
    *at++ = 0x00;
    adjacency.header_len = static_cast<uint16_t>(at - adjacency.header.begin());
  }
  adjacencies_->Replace(neighbours_[host].slot, adjacency);
}

const RouteTarget* RouteBook::Best(uint32_t address, uint8_t max_len) const {
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

bool RouteBook::AsksClients(uint32_t prefix, uint8_t len) const {
  const RouteTarget* best = Best(prefix, len);
  return best != nullptr && best->kind == RouteTarget::Kind::kClients;
}

NextHop RouteBook::OfTarget(const RouteTarget& target) const {
  switch (target.kind) {
    case RouteTarget::Kind::kLocal:
      return {NextHop::Kind::kLocal};
    case RouteTarget::Kind::kClients:
      return {NextHop::Kind::kClients};
    case RouteTarget::Kind::kBlackhole:
      return {NextHop::Kind::kBlackhole};
    case RouteTarget::Kind::kAdjacency:
      break;
  }
  if (target.gateway == 0) {
    return {NextHop::Kind::kOnLink, target.port};
  }
  return {NextHop::Kind::kAdjacency, neighbours_.at(MakeHost(target.port, target.gateway)).slot};
}

// Wanted is the value for a prefix; kNone: no entry.
NextHop RouteBook::Wanted(uint32_t prefix, uint8_t len) const {
  const auto route = routes_.find(MakePrefix(prefix, len));
  const bool local = route != routes_.end() && route->second.kind == RouteTarget::Kind::kLocal;
  if (const auto call = call_routes_.find(MakePrefix(prefix, len));
      !local && call != call_routes_.end()) {
    return {NextHop::Kind::kCall, call->second};
  }
  if (len == 32 && CallRouteOver(prefix, 32) == nullptr) {
    const uint32_t call = clients_->Find(prefix);
    const RouteTarget* best = Best(prefix);
    const bool asks_clients = best != nullptr && best->kind == RouteTarget::Kind::kClients;
    if (!local && !asks_clients && call != ClientTable::kNone) {
      return {NextHop::Kind::kCall, call};
    }
    if (best != nullptr && best->kind == RouteTarget::Kind::kAdjacency && best->gateway == 0) {
      const auto host = neighbours_.find(MakeHost(best->port, prefix));
      if (host != neighbours_.end() && host->second.resolved) {
        return {NextHop::Kind::kAdjacency, host->second.slot};
      }
    }
  }
  return route == routes_.end() ? NextHop() : OfTarget(route->second);
}

absl::Status RouteBook::Apply(uint32_t prefix, uint8_t len) {
  const NextHop hop = Wanted(prefix, len);
  if (hop.kind() == NextHop::Kind::kNone) {
    fib_->Erase(prefix, len);
    return absl::OkStatus();
  }
  return fib_->Set(prefix, len, hop);
}

// ApplyAll puts a changed route into force; at any time packets find the calls.
absl::Status RouteBook::ApplyAll(uint32_t prefix, uint8_t len, bool asked_clients) {
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
void RouteBook::ApplyHosts(uint32_t prefix, uint8_t len) {
  const Host last = MakeHost(UINT16_MAX, prefix | ~Mask(len));
  std::vector<uint32_t> hosts;
  for (auto at = neighbours_.lower_bound(MakeHost(0, prefix));
       at != neighbours_.end() && at->first <= last; ++at) {
    if (at->second.resolved) {
      hosts.push_back(AddressOf(at->first));
    }
  }
  for (const uint32_t address : hosts) {
    Apply(address, 32).IgnoreError();
  }
}

}  // namespace culvert::dataplane
