// RouteTable: the kernel's routes of one version of IP, and which one of a prefix's counts. Pure:
// it knows no socket. Several routes of one prefix stand side by side and the next best takes over
// when the best goes, as in the kernel: the local table before the main one, then the lowest
// priority (metric), then the order of the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

// Address: uint32_t or Ipv6Number, in host order.
template <typename Address>
struct BasicKernelNextHop {
  uint32_t interface_index = 0;
  Address gateway = 0;          // 0: on link
  bool dead = false;            // the kernel does not use it
  bool foreign_family = false;  // via a gateway of the other version
  bool operator==(const BasicKernelNextHop&) const = default;
};

enum class KernelRouteType : uint8_t {
  kUnicast,
  kLocal,    // broadcast and anycast too
  kDiscard,  // blackhole, unreachable, prohibit
};

template <typename Address>
struct BasicKernelRoute {
  using Type = KernelRouteType;

  Address prefix = 0;  // host bits zero
  uint8_t len = 0;
  bool local_table = false;  // else the main one
  uint32_t priority = 0;
  Type type = Type::kUnicast;
  std::vector<BasicKernelNextHop<Address>> next_hops;
  bool operator==(const BasicKernelRoute&) const = default;
};
using KernelNextHop = BasicKernelNextHop<uint32_t>;
using KernelRoute = BasicKernelRoute<uint32_t>;
using Ipv6KernelRoute = BasicKernelRoute<Ipv6Number>;

// The interfaces that are ours; everything else belongs to the kernel alone.
struct OwnInterfaces {
  std::map<uint32_t, uint16_t> ports;  // TAP's index -> port
  uint32_t clients = 0;                // the TUN's index
};

template <typename Address>
class BasicRouteTable {
 public:
  using KernelRoute = BasicKernelRoute<Address>;
  using Target = BasicRouteTarget<Address>;
  using Prefix = std::pair<Address, uint8_t>;
  // Sink gets what changed. Set and Remove as Datapath's SetRoute and RemoveRoute.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void Set(Address prefix, uint8_t len, const Target& target) = 0;
    virtual void Remove(Address prefix, uint8_t len) = 0;
  };

  explicit BasicRouteTable(OwnInterfaces own) : own_(std::move(own)) {}

  // Add puts in a route of the kernel's; `replace` is NLM_F_REPLACE: the first route of the same
  // prefix, table and priority goes. One that is there already changes nothing.
  void Add(const KernelRoute& route, bool replace);
  void Remove(const KernelRoute& route);
  // Clear forgets all routes, before a new dump; what was told to the sink is remembered, so the
  // next Flush tells differences only.
  void Clear();
  // Flush tells what has changed since the last one.
  void Flush(Sink* sink);

  // TargetOf is what one route means to the data plane.
  [[nodiscard]] Target TargetOf(const KernelRoute& route) const;
  [[nodiscard]] size_t num_prefixes() const { return told_.size(); }

 private:
  OwnInterfaces own_;
  std::map<Prefix, std::vector<KernelRoute>> routes_;  // each best first
  std::map<Prefix, Target> told_;
  std::set<Prefix> dirty_;
};
using RouteTable = BasicRouteTable<uint32_t>;
using Ipv6RouteTable = BasicRouteTable<Ipv6Number>;

}  // namespace culvert::dataplane
