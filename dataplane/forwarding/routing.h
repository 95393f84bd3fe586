// Ipv4Routing and Ipv6Routing: what a RouteBook has to know about a version of IP.
#pragma once

#include <bit>
#include <string>

#include "dataplane/datapath.h"
#include "dataplane/forwarding/adjacency.h"
#include "dataplane/forwarding/call_prefixes.h"
#include "dataplane/forwarding/client_table.h"
#include "dataplane/forwarding/fib.h"
#include "dataplane/forwarding/fib6.h"
#include "dataplane/forwarding/prefix_table.h"

namespace culvert::dataplane {

struct Ipv4Routing {
  using Address = uint32_t;
  using Target = RouteTarget;
  using Table = Fib;
  using Clients = ClientTable;
  using CallRoute = CallPrefixes::Ipv4;
  static constexpr uint8_t kBits = 32;
  static constexpr uint8_t kClientLen = 32;  // of what a call has as its address
  static constexpr uint16_t kEtherType = 0x0800;
  static constexpr char kClientField[] = "client_address";
  static void SetAddress(Address address, EthernetAdjacency* adjacency) {
    adjacency->address = address;
  }
  static uint8_t Len(const CallRoute& route) {
    return static_cast<uint8_t>(std::popcount(route.mask));
  }
  static std::string Text(Address prefix, uint8_t len);
};

struct Ipv6Routing {
  using Address = Ipv6Number;
  using Target = Ipv6RouteTarget;
  using Table = Fib6;
  using Clients = PrefixTable;
  using CallRoute = CallPrefixes::Ipv6;
  static constexpr uint8_t kBits = 128;
  static constexpr uint8_t kClientLen = 64;
  static constexpr uint16_t kEtherType = 0x86dd;
  static constexpr char kClientField[] = "ipv6.prefix";
  static void SetAddress(Address address, EthernetAdjacency* adjacency) {
    adjacency->ipv6_address = address;
  }
  static uint8_t Len(const CallRoute& route) {
    return static_cast<uint8_t>(std::popcount(absl::Uint128High64(route.mask)) +
                                std::popcount(absl::Uint128Low64(route.mask)));
  }
  static std::string Text(Address prefix, uint8_t len);
};

}  // namespace culvert::dataplane
