// The calls' part of the RouteBook.
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <bit>

#include "dataplane/forwarding/route_book.h"

namespace culvert::dataplane {
namespace {

uint8_t Len(const CallPrefixes::Ipv4& route) {
  return static_cast<uint8_t>(std::popcount(route.mask));
}

std::string Text(uint32_t prefix, uint8_t len) {
  return absl::StrFormat("%u.%u.%u.%u/%u", prefix >> 24, prefix >> 16 & 255, prefix >> 8 & 255,
                         prefix & 255, len);
}

absl::Status Taken(const std::string& what, uint32_t other_index, uint32_t prefix, uint8_t len) {
  return absl::AlreadyExistsError(absl::StrCat(what, ": the call with call_id ",
                                               other_index % kCallsPerAddress, " has ",
                                               Text(prefix, len)));
}

}  // namespace

absl::Status RouteBook::SetCall(uint32_t address, uint32_t call_index) {
  const std::lock_guard lock(mutex_);
  if (const uint32_t owner = clients_->Find(address); owner != ClientTable::kNone) {
    return owner == call_index ? absl::OkStatus() : Taken("client_address", owner, address, 32);
  }
  if (const auto* route = CallRouteOver(address, 32);
      route != nullptr && route->second != call_index) {
    return Taken("client_address", route->second, static_cast<uint32_t>(route->first >> 8),
                 static_cast<uint8_t>(route->first));
  }
  absl::Status status = clients_->Set(address, call_index);
  if (status.ok() && !AsksClients(address, 32)) {
    status = Apply(address, 32);
    if (!status.ok()) {
      clients_->Erase(address);
    }
  }
  return status;
}

void RouteBook::RemoveCall(uint32_t address) {
  const std::lock_guard lock(mutex_);
  clients_->Erase(address);
  if (!AsksClients(address, 32)) {
    Apply(address, 32).IgnoreError();
  }
}

absl::Status RouteBook::SetCallRoutes(uint32_t call_index, Ipv4Prefixes old, Ipv4Prefixes wanted) {
  const std::lock_guard lock(mutex_);
  const auto has = [](Ipv4Prefixes routes, const CallPrefixes::Ipv4& route) {
    return std::find(routes.begin(), routes.end(), route) != routes.end();
  };
  for (const CallPrefixes::Ipv4& route : wanted) {
    if (absl::Status status = CheckCallRoute(call_index, route); !status.ok()) {
      return status;
    }
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    absl::Status status = AddCallRoute(call_index, wanted[i]);
    if (!status.ok()) {
      for (size_t j = 0; j <= i; ++j) {
        if (!has(old, wanted[j])) {
          RemoveCallRoute(wanted[j]);
        }
      }
      return status;
    }
  }
  for (const CallPrefixes::Ipv4& route : old) {
    if (!has(wanted, route)) {
      RemoveCallRoute(route);
    }
  }
  return absl::OkStatus();
}

// CallRouteOver gives a call's network that covers the prefix, null: none.
const RouteBook::CallRoutes::value_type* RouteBook::CallRouteOver(uint32_t prefix,
                                                                  uint8_t len) const {
  for (int at = call_routes_.empty() ? -1 : len; at >= 0; --at) {
    const auto over = static_cast<uint8_t>(at);
    if (num_call_routes_of_len_[over] == 0) {
      continue;
    }
    const auto route = call_routes_.find(MakePrefix(prefix & Mask(over), over));
    if (route != call_routes_.end()) {
      return &*route;
    }
  }
  return nullptr;
}

absl::Status RouteBook::CheckCallRoute(uint32_t call_index, const CallPrefixes::Ipv4& route) const {
  const uint8_t len = Len(route);
  const std::string what = absl::StrCat("routes: ", Text(route.prefix, len));
  const uint32_t last = route.prefix | ~route.mask;
  const auto taken = [&](const CallRoutes::value_type& other) {
    return Taken(what, other.second, static_cast<uint32_t>(other.first >> 8),
                 static_cast<uint8_t>(other.first));
  };
  if (const auto* over = CallRouteOver(route.prefix, len);
      over != nullptr && over->second != call_index) {
    return taken(*over);
  }
  for (auto at = call_routes_.lower_bound(MakePrefix(route.prefix, 0));
       at != call_routes_.end() && at->first <= MakePrefix(last, 32); ++at) {
    if (at->second != call_index) {
      return taken(*at);
    }
  }
  uint32_t address = route.prefix;
  for (bool more = clients_->First(route.prefix, last, &address); more;
       more = address != last && clients_->First(address + 1, last, &address)) {
    if (const uint32_t owner = clients_->Find(address); owner != call_index) {
      return Taken(what, owner, address, 32);
    }
  }
  return absl::OkStatus();
}

absl::Status RouteBook::AddCallRoute(uint32_t call_index, const CallPrefixes::Ipv4& route) {
  const uint8_t len = Len(route);
  if (!call_routes_.emplace(MakePrefix(route.prefix, len), call_index).second) {
    return absl::OkStatus();
  }
  ++num_call_routes_of_len_[len];
  absl::Status status = Apply(route.prefix, len);
  ApplyHosts(route.prefix, len);
  return status;
}

void RouteBook::RemoveCallRoute(const CallPrefixes::Ipv4& route) {
  const uint8_t len = Len(route);
  if (call_routes_.erase(MakePrefix(route.prefix, len)) == 0) {
    return;
  }
  --num_call_routes_of_len_[len];
  Apply(route.prefix, len).IgnoreError();
  ApplyHosts(route.prefix, len);
}

// ApplyCalls looks again at the calls whose way in changed: ClientTable or forwarding table.
void RouteBook::ApplyCalls(uint32_t prefix, uint8_t len) {
  const uint32_t last = prefix | ~Mask(len);
  uint32_t address = prefix;
  for (bool more = clients_->First(prefix, last, &address); more;
       more = address != last && clients_->First(address + 1, last, &address)) {
    Apply(address, 32).IgnoreError();
  }
}

}  // namespace culvert::dataplane
