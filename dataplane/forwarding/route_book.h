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
#include "dataplane/forwarding/routing.h"

namespace culvert::dataplane {

// The same for both versions of IP; Family is Ipv4Routing or Ipv6Routing.
template <typename Family>
class BasicRouteBook {
 public:
  using Address = typename Family::Address;  // host order
  using Target = typename Family::Target;
  using CallRoute = typename Family::CallRoute;

  // RouteBook borrows all of them.
  BasicRouteBook(typename Family::Table* fib, typename Family::Clients* clients,
                 AdjacencyTable* adjacencies, std::span<const PortSpec> ports)
      : fib_(fib), clients_(clients), adjacencies_(adjacencies), ports_(ports) {}

  // As Datapath's functions of the same names. Any non-worker thread.
  absl::Status SetRoute(Address prefix, uint8_t len, const Target& target);
  absl::Status RemoveRoute(Address prefix, uint8_t len);
  void SetNeighbour(uint16_t port, Address address, const MacAddress& mac);
  void RemoveNeighbour(uint16_t port, Address address);

  // A call's inner address (IPv6: its /64). ALREADY_EXISTS when another call has it, or a route
  // over it.
  absl::Status SetCall(Address address, uint32_t call_index);
  void RemoveCall(Address address);
  // SetCallRoutes replaces the networks behind a call; `old` is what it had. ALREADY_EXISTS names
  // the other call's address or route that one of them overlaps with; then nothing changes.
  using CallRouteSpan = std::span<const CallRoute>;
  absl::Status SetCallRoutes(uint32_t call_index, CallRouteSpan old, CallRouteSpan wanted);

 private:
  using Prefix = std::pair<Address, uint8_t>;
  using Host = std::pair<Address, uint16_t>;  // and port: hosts of a prefix stand together
  static constexpr uint8_t kBits = Family::kBits;
  static constexpr uint8_t kClientLen = Family::kClientLen;
  static constexpr Address Mask(uint8_t len) {
    return len == 0 ? Address{0} : ~Address{0} << (kBits - len);
  }
  static Prefix MakePrefix(Address prefix, uint8_t len) { return {prefix, len}; }
  static Host MakeHost(uint16_t port, Address address) { return {address, port}; }

  // A next hop that routes use or the kernel knows. It stays while either holds.
  struct Neighbour {
    uint32_t slot = 0;
    uint32_t num_routes = 0;
    bool resolved = false;
  };

  absl::Status Check(Address prefix, uint8_t len, const Target& target) const;
  Neighbour* FindOrInsert(Host host);
  void EraseIfUnused(Host host);
  void Describe(Host host, const MacAddress* mac);
  void Unreference(const Target& target);
  // Best gives the longest kernel route over `address` of at most `max_len`, nullptr: none.
  const Target* Best(Address address, uint8_t max_len) const;
  // Whether packets to what the prefix covers find their call in the ClientTable.
  bool AsksClients(Address prefix, uint8_t len) const;
  NextHop Wanted(Address prefix, uint8_t len) const;
  NextHop OfTarget(const Target& target) const;
  absl::Status Apply(Address prefix, uint8_t len);
  absl::Status ApplyAll(Address prefix, uint8_t len, bool asked_clients);
  void ApplyHosts(Address prefix, uint8_t len);
  void ApplyCalls(Address prefix, uint8_t len);
  template <typename Function>
  void ForEachClient(Address prefix, uint8_t len, Function function) const;
  using CallRoutes = absl::btree_map<Prefix, uint32_t>;
  const typename CallRoutes::value_type* CallRouteOver(Address prefix, uint8_t len) const;
  absl::Status CheckCallRoute(uint32_t call_index, const CallRoute& route) const;
  absl::Status AddCallRoute(uint32_t call_index, const CallRoute& route);
  void RemoveCallRoute(const CallRoute& route);

  typename Family::Table* fib_;
  typename Family::Clients* clients_;
  AdjacencyTable* adjacencies_;
  std::span<const PortSpec> ports_;
  std::mutex mutex_;
  absl::flat_hash_map<Prefix, Target> routes_;
  uint32_t num_routes_of_len_[kBits + 1] = {};
  absl::btree_map<Host, Neighbour> neighbours_;
  CallRoutes call_routes_;  // those of different calls do not overlap
  uint32_t num_call_routes_of_len_[kBits + 1] = {};
};

using RouteBook = BasicRouteBook<Ipv4Routing>;
using Ipv6RouteBook = BasicRouteBook<Ipv6Routing>;

}  // namespace culvert::dataplane
