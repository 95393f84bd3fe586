// Reservations: what users have of their own, addresses and prefixes, is kept out of the pools.
#pragma once

#include <memory>

#include "controlplane/aaa/pools/address_pools.h"
#include "controlplane/aaa/users/users.h"
#include "controlplane/ipv6/prefix/pools.h"

namespace culvert {

// Reserve is for the first table of users.
void Reserve(const Users& users, AddressPools& pools, ipv6::PrefixPools& prefixes);

// ReserveBoth and ReserveNew go before and after a table takes another's place: nothing is free
// while one of them has it. By one thread at a time.
void ReserveBoth(const Users& before, const Users& now, AddressPools& pools,
                 ipv6::PrefixPools& prefixes);
void ReserveNew(const Users& before, const Users& now, AddressPools& pools,
                ipv6::PrefixPools& prefixes);

}  // namespace culvert
