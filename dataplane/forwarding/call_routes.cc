// The calls' part of the RouteBook.
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "dataplane/forwarding/route_book.h"

namespace culvert::dataplane {
namespace {

absl::Status Taken(const std::string& what, uint32_t other_index, const std::string& other) {
  return absl::AlreadyExistsError(absl::StrCat(what, ": the call with call_id ",
                                               other_index % kCallsPerAddress, " has ", other));
}

}  // namespace

template <typename Family>
absl::Status BasicRouteBook<Family>::SetCall(Address address, uint32_t call_index) {
  const std::lock_guard lock(mutex_);
  if (const uint32_t owner = clients_->Find(address); owner != ClientTable::kNone) {
    return owner == call_index
               ? absl::OkStatus()
               : Taken(Family::kClientField, owner, Family::Text(address, kClientLen));
  }
  if (const auto* route = CallRouteOver(address, kClientLen);
      route != nullptr && route->second != call_index) {
    return Taken(Family::kClientField, route->second,
                 Family::Text(route->first.first, route->first.second));
  }
  absl::Status status = clients_->Set(address, call_index);
  if (status.ok() && !AsksClients(address, kClientLen)) {
    status = Apply(address, kClientLen);
    if (!status.ok()) {
      clients_->Erase(address);
    }
  }
  return status;
}

template <typename Family>
void BasicRouteBook<Family>::RemoveCall(Address address) {
  const std::lock_guard lock(mutex_);
  clients_->Erase(address);
  if (!AsksClients(address, kClientLen)) {
    Apply(address, kClientLen).IgnoreError();
  }
}

template <typename Family>
absl::Status BasicRouteBook<Family>::SetCallRoutes(uint32_t call_index, CallRouteSpan old,
                                                   CallRouteSpan wanted) {
  const std::lock_guard lock(mutex_);
  const auto has = [](CallRouteSpan routes, const CallRoute& route) {
    return std::find(routes.begin(), routes.end(), route) != routes.end();
  };
  for (const CallRoute& route : wanted) {
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
  for (const CallRoute& route : old) {
    if (!has(wanted, route)) {
      RemoveCallRoute(route);
    }
  }
  return absl::OkStatus();
}

// CallRouteOver gives a call's network that covers the prefix, null: none.
template <typename Family>
const typename BasicRouteBook<Family>::CallRoutes::value_type*
BasicRouteBook<Family>::CallRouteOver(Address prefix, uint8_t len) const {
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

template <typename Family>
absl::Status BasicRouteBook<Family>::CheckCallRoute(uint32_t call_index,
                                                    const CallRoute& route) const {
  const uint8_t len = Family::Len(route);
  const std::string what = absl::StrCat("routes: ", Family::Text(route.prefix, len));
  const Address last = route.prefix | ~route.mask;
  const auto taken = [&](const typename CallRoutes::value_type& other) {
    return Taken(what, other.second, Family::Text(other.first.first, other.first.second));
  };
  if (const auto* over = CallRouteOver(route.prefix, len);
      over != nullptr && over->second != call_index) {
    return taken(*over);
  }
  for (auto at = call_routes_.lower_bound(MakePrefix(route.prefix, 0));
       at != call_routes_.end() && at->first <= MakePrefix(last, kBits); ++at) {
    if (at->second != call_index) {
      return taken(*at);
    }
  }
  absl::Status status;
  ForEachClient(route.prefix, len, [&](Address address) {
    const uint32_t owner = clients_->Find(address);
    if (owner != call_index && status.ok()) {
      status = Taken(what, owner, Family::Text(address & Mask(kClientLen), kClientLen));
    }
  });
  return status;
}

template <typename Family>
absl::Status BasicRouteBook<Family>::AddCallRoute(uint32_t call_index, const CallRoute& route) {
  const uint8_t len = Family::Len(route);
  if (!call_routes_.emplace(MakePrefix(route.prefix, len), call_index).second) {
    return absl::OkStatus();
  }
  ++num_call_routes_of_len_[len];
  absl::Status status = Apply(route.prefix, len);
  ApplyHosts(route.prefix, len);
  return status;
}

template <typename Family>
void BasicRouteBook<Family>::RemoveCallRoute(const CallRoute& route) {
  const uint8_t len = Family::Len(route);
  if (call_routes_.erase(MakePrefix(route.prefix, len)) == 0) {
    return;
  }
  --num_call_routes_of_len_[len];
  Apply(route.prefix, len).IgnoreError();
  ApplyHosts(route.prefix, len);
}

// ForEachClient calls `function` with what each call in the prefix, or over it, has as its address.
template <typename Family>
template <typename Function>
void BasicRouteBook<Family>::ForEachClient(Address prefix, uint8_t len, Function function) const {
  const Address host_bits = ~Mask(kClientLen);
  const Address last = prefix | ~Mask(len) | host_bits;
  Address from = prefix & ~host_bits;
  Address address;
  while (clients_->First(from, last, &address)) {
    function(address);
    if ((address | host_bits) == last) {
      return;
    }
    from = (address | host_bits) + 1;
  }
}

// ApplyCalls looks again at the calls whose way in changed: ClientTable or forwarding table.
template <typename Family>
void BasicRouteBook<Family>::ApplyCalls(Address prefix, uint8_t len) {
  if (len <= kClientLen) {
    ForEachClient(prefix, len,
                  [this](Address address) { Apply(address, kClientLen).IgnoreError(); });
  }
}

template class BasicRouteBook<Ipv4Routing>;
template class BasicRouteBook<Ipv6Routing>;

}  // namespace culvert::dataplane
