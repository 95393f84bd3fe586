// RouteTable: the kernel's IPv4 routes, and which one of a prefix's counts. Pure: it knows no
// socket. Several routes of one prefix stand side by side and the next best takes over when the
// best goes, as in the kernel: the local table before the main one, then the lowest priority
// (metric), then the order of the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

struct KernelNextHop {
  uint32_t interface_index = 0;
  uint32_t gateway = 0;         // host order; 0: on link
  bool dead = false;            // the kernel does not use it
  bool foreign_family = false;  // via an IPv6 gateway
  bool operator==(const KernelNextHop&) const = default;
};

struct KernelRoute {
  enum class Type : uint8_t { kUnicast, kLocal, kDiscard };

  uint32_t prefix = 0;  // host order, host bits zero
  uint8_t len = 0;
  bool local_table = false;  // else the main one
  uint32_t priority = 0;
  Type type = Type::kUnicast;  // kLocal: broadcast too; kDiscard: blackhole, unreachable, prohibit
  std::vector<KernelNextHop> next_hops;
  bool operator==(const KernelRoute&) const = default;
};

// The interfaces that are ours; everything else belongs to the kernel alone.
struct OwnInterfaces {
  std::map<uint32_t, uint16_t> ports;  // TAP's index -> port
  uint32_t clients = 0;                // the TUN's index
};

class RouteTable {
 public:
  using Prefix = std::pair<uint32_t, uint8_t>;
  // Sink gets what changed. Set and Remove as Datapath's SetRoute and RemoveRoute.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void Set(uint32_t prefix, uint8_t len, const RouteTarget& target) = 0;
    virtual void Remove(uint32_t prefix, uint8_t len) = 0;
  };

  explicit RouteTable(OwnInterfaces own) : own_(std::move(own)) {}

  // Add puts in a route of the kernel's; `replace` is NLM_F_REPLACE: the first route of the same
  // prefix, table and priority goes. One that is there already changes nothing.
  void Add(const KernelRoute& route, bool replace);
  void Remove(const KernelRoute& route);
  // Clear forgets all routes, before a new dump; what was told to the sink is remembered, so the
  // next Flush tells differences only.
  void Clear();
  // Flush tells what has changed since the last one.
  void Flush(Sink* sink);

  // Target is what one route means to the data plane.
  [[nodiscard]] RouteTarget Target(const KernelRoute& route) const;
  [[nodiscard]] size_t num_prefixes() const { return told_.size(); }

 private:
  OwnInterfaces own_;
  std::map<Prefix, std::vector<KernelRoute>> routes_;  // each best first
  std::map<Prefix, RouteTarget> told_;
  std::set<Prefix> dirty_;
};

}  // namespace culvert::dataplane
