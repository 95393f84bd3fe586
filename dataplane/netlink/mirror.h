// Mirror: keeps the Datapath's forwarding tables equal to what the kernel has: routes of the main
// and local tables, and the neighbours on our TAPs. It also has the kernel find neighbours that
// packets want, and keeps the known ones from going stale.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include "dataplane/datapath.h"
#include "dataplane/netlink/handles.h"
#include "dataplane/netlink/messages.h"
#include "dataplane/netlink/route_table.h"

namespace culvert::dataplane {

class Mirror : private RouteTable::Sink, private Ipv6RouteTable::Sink {
 public:
  // Borrows `datapath` until Stop() is over.
  Mirror(Datapath* datapath, OwnInterfaces own);
  ~Mirror() override { Stop(); }
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  // Start subscribes, copies all there is, and follows from then on in its own thread, which
  // belongs to the network namespace of the caller.
  absl::Status Start();
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;
  using Neighbour = std::tuple<bool, uint16_t, Ipv6Number>;  // is IPv6, port, address

  void Set(uint32_t prefix, uint8_t len, const RouteTarget& target) override;
  void Remove(uint32_t prefix, uint8_t len) override;
  void Set(Ipv6Number prefix, uint8_t len, const Ipv6RouteTarget& target) override;
  void Remove(Ipv6Number prefix, uint8_t len) override;

  absl::Status Subscribe();
  absl::Status Resync();
  void Flush();
  template <typename Table>
  absl::Status DumpRoutes(unsigned char family, Table* table);
  absl::Status DumpNeighbours();
  absl::Status DumpAddresses();
  absl::Status Dump(int type, void* header, size_t len);

  void Run();
  void ReadNews();
  void OnMessage(nlmsghdr* message);
  void OnLink(nlmsghdr* message);
  template <typename Address>
  void OnRoute(nlmsghdr* message, BasicRouteTable<Address>* table);
  void SetNeighbour(const Neighbour& neighbour, const MacAddress& mac);
  void RemoveNeighbour(const Neighbour& neighbour);
  void OnNeighbour(nlmsghdr* message);
  void OnAddress(nlmsghdr* message);
  void ResolveWanted();
  void TouchNeighbours(Clock::time_point now);
  // Use tells the kernel that somebody wants to send to `neighbour`.
  void Use(const Neighbour& neighbour);

  Datapath* datapath_;
  OwnInterfaces own_;
  std::map<uint16_t, uint32_t> port_interfaces_;
  RouteTable routes_;
  Ipv6RouteTable ipv6_routes_;
  NlSocket news_;                                      // subscribed; never blocks
  NlSocket requests_;                                  // dumps and requests, in step
  std::map<Neighbour, Clock::time_point> neighbours_;  // known, and when last used
  std::set<Neighbour> dumped_;
  bool dumping_ = false;
  std::map<int, unsigned> links_;  // flags of each interface that there were news of
  bool resync_ = false;
  // The first address of each interface and family, while they are dumped.
  std::map<std::pair<uint32_t, bool>, KernelAddress> addresses_;
  bool dumping_addresses_ = false;
  bool addresses_changed_ = false;
  bool said_multipath_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace culvert::dataplane
