// RouteBook: what the kernel and the calls want, merged into the forwarding table. For one prefix a
// local address of this machine beats a call, a call beats a host on link, and that beats the
// kernel's route; when one goes, the next one takes its place. Calls whose address the kernel
// routes to the clients are in the ClientTable alone; the forwarding table gets those of other
// addresses.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "dataplane/datapath.h"
#include "dataplane/forwarding/adjacency.h"
#include "dataplane/forwarding/call_prefixes.h"
#include "dataplane/forwarding/client_table.h"
#include "dataplane/forwarding/fib.h"

namespace culvert::dataplane {

class RouteBook {
 public:
  // RouteBook borrows all of them.
  RouteBook(Fib* fib, ClientTable* clients, AdjacencyTable* adjacencies,
            std::span<const PortSpec> ports)
      : fib_(fib), clients_(clients), adjacencies_(adjacencies), ports_(ports) {}

  // As Datapath's functions of the same names. Any non-worker thread.
  absl::Status SetRoute(uint32_t prefix, uint8_t len, const RouteTarget& target);
  absl::Status RemoveRoute(uint32_t prefix, uint8_t len);
  void SetNeighbour(uint16_t port, uint32_t address, const MacAddress& mac);
  void RemoveNeighbour(uint16_t port, uint32_t address);

  // A call's inner address, host order. ALREADY_EXISTS when another call has it, or a route over it.
  absl::Status SetCall(uint32_t address, uint32_t call_index);
  void RemoveCall(uint32_t address);
  // SetCallRoutes replaces the networks behind a call; `old` is what it had. ALREADY_EXISTS names
  // the other call's address or route that one of them overlaps with; then nothing changes.
  using Ipv4Prefixes = std::span<const CallPrefixes::Ipv4>;
  absl::Status SetCallRoutes(uint32_t call_index, Ipv4Prefixes old, Ipv4Prefixes wanted);

 private:
  using Prefix = uint64_t;  // prefix << 8 | length
  using Host = uint64_t;    // address << 16 | port: hosts of a prefix stand together
  static constexpr uint32_t Mask(uint8_t len) {
    return len == 0 ? 0 : UINT32_MAX << (32 - len);
  }
  static Prefix MakePrefix(uint32_t prefix, uint8_t len) {
    return static_cast<uint64_t>(prefix) << 8 | len;
  }
  static Host MakeHost(uint16_t port, uint32_t address) {
    return static_cast<uint64_t>(address) << 16 | port;
  }
  static uint16_t PortOf(Host host) { return static_cast<uint16_t>(host); }
  static uint32_t AddressOf(Host host) { return static_cast<uint32_t>(host >> 16); }

  // A next hop that routes use or the kernel knows. It stays while either holds.
  struct Neighbour {
    uint32_t slot = 0;
    uint32_t num_routes = 0;
    bool resolved = false;
  };

  absl::Status Check(uint32_t prefix, uint8_t len, const RouteTarget& target) const;
  Neighbour* FindOrInsert(Host host);
  void EraseIfUnused(Host host);
  void Describe(Host host, const MacAddress* mac);
  void Unreference(const RouteTarget& target);
  // Best gives the longest kernel route over `address` of at most `max_len`, nullptr: none.
  const RouteTarget* Best(uint32_t address, uint8_t max_len = 32) const;
  // Whether packets to what the prefix covers find their call in the ClientTable.
  bool AsksClients(uint32_t prefix, uint8_t len) const;
  NextHop Wanted(uint32_t prefix, uint8_t len) const;
  NextHop OfTarget(const RouteTarget& target) const;
  absl::Status Apply(uint32_t prefix, uint8_t len);
  absl::Status ApplyAll(uint32_t prefix, uint8_t len, bool asked_clients);
  void ApplyHosts(uint32_t prefix, uint8_t len);
  void ApplyCalls(uint32_t prefix, uint8_t len);
  using CallRoutes = absl::btree_map<Prefix, uint32_t>;
  const CallRoutes::value_type* CallRouteOver(uint32_t prefix, uint8_t len) const;
  absl::Status CheckCallRoute(uint32_t call_index, const CallPrefixes::Ipv4& route) const;
  absl::Status AddCallRoute(uint32_t call_index, const CallPrefixes::Ipv4& route);
  void RemoveCallRoute(const CallPrefixes::Ipv4& route);

  Fib* fib_;
  ClientTable* clients_;
  AdjacencyTable* adjacencies_;
  std::span<const PortSpec> ports_;
  std::mutex mutex_;
  absl::flat_hash_map<Prefix, RouteTarget> routes_;
  uint32_t num_routes_of_len_[33] = {};
  absl::btree_map<Host, Neighbour> neighbours_;
  CallRoutes call_routes_;  // those of different calls do not overlap
  uint32_t num_call_routes_of_len_[33] = {};
};

}  // namespace culvert::dataplane
