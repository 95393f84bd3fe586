#include "controlplane/aaa/reservations.h"

#include <algorithm>
#include <vector>

namespace culvert {

namespace {

void ReserveAddresses(const Users& users, AddressPools& pools) {
  for (const uint32_t address : users.FixedAddresses()) {
    pools.Reserve(address);
  }
}

}  // namespace

void Reserve(const Users& users, AddressPools& pools, ipv6::PrefixPools& prefixes) {
  ReserveAddresses(users, pools);
  prefixes.SetReserved(users.FixedPrefixes());
}

void ReserveBoth(const Users& before, const Users& now, AddressPools& pools,
                 ipv6::PrefixPools& prefixes) {
  ReserveAddresses(now, pools);
  std::vector<config::Ipv6Prefix> both = before.FixedPrefixes();
  const std::vector<config::Ipv6Prefix> more = now.FixedPrefixes();
  both.insert(both.end(), more.begin(), more.end());
  prefixes.SetReserved(both);
}

void ReserveNew(const Users& before, const Users& now, AddressPools& pools,
                ipv6::PrefixPools& prefixes) {
  std::vector<uint32_t> kept = now.FixedAddresses();
  std::sort(kept.begin(), kept.end());
  for (const uint32_t address : before.FixedAddresses()) {
    if (!std::binary_search(kept.begin(), kept.end(), address)) {
      pools.Unreserve(address);
    }
  }
  prefixes.SetReserved(now.FixedPrefixes());
}

}  // namespace culvert
