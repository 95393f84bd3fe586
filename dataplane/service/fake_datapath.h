// FakeDatapath: a Datapath without workers, for tests: it keeps what it is given and gives what it
// was told to.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/datapath.h"
#include "dataplane/filter/filter_spec.h"

namespace culvert::dataplane {

// Eventually tries `condition` for up to a minute.
inline bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 12'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// All members are guarded by `mutex`.
class FakeDatapath : public Datapath {
 public:
  using Lock = std::lock_guard<std::mutex>;

  absl::Status Start() override { return absl::OkStatus(); }
  void Stop() override {}
  unsigned RunWorkerOnce(unsigned /*i*/) override { return 0; }

  void Program(std::span<CallOperation> operations) override {
    const Lock lock(mutex);
    if (!operations.empty()) batches.push_back(operations.size());
    for (CallOperation& operation : operations) {
      if (operation.kind == CallOperation::Kind::kRemove) {
        operation.totals.upstream_packets = calls.erase(operation.handle) > 0 ? 11 : 0;
        continue;
      }
      CallSpec spec = operation.spec;
      if (spec.handle != 0 && calls.count(spec.handle) == 0) {
        operation.status = absl::NotFoundError("stale handle");
        continue;
      }
      if (spec.handle == 0) spec.handle = next_handle++;
      operation.handle = spec.handle;
      calls[spec.handle] = spec;
    }
  }
  std::vector<CallEntry> List() override {
    const Lock lock(mutex);
    std::vector<CallEntry> entries;
    for (const auto& call : calls) entries.push_back({.spec = call.second, .totals = {}});
    return entries;
  }
  absl::StatusOr<unsigned> WorkerOf(uint64_t /*handle*/) override { return 0; }
  unsigned ToCalls(unsigned /*worker*/, std::span<const CallPacket> /*packets*/) override {
    return 0;
  }
  unsigned FromCalls(std::span<CallPacket> /*out*/) override { return 0; }
  absl::Status SetFilter(const FilterSpec& spec) override {
    const Lock lock(mutex);
    filters[spec.id] = spec;
    return absl::OkStatus();
  }
  absl::Status RemoveFilter(uint32_t id) override {
    const Lock lock(mutex);
    return filters.erase(id) > 0 ? absl::OkStatus() : absl::FailedPreconditionError("in use");
  }
  std::vector<std::pair<uint64_t, CallTotals>> CallCounters() override {
    const Lock lock(mutex);
    std::vector<std::pair<uint64_t, CallTotals>> counters;
    for (const auto& call : calls) counters.emplace_back(call.first, CallTotals{});
    return counters;
  }
  std::vector<WorkerTotals> WorkerCounters() override {
    WorkerTotals totals;
    totals.received = 5;
    totals.drops.push_back({.name = "ttl", .text = "TTL ran out", .source = "RFC", .packets = 2});
    totals.consumed = 6;
    totals.stages.push_back({.name = "input", .packets = 3, .cycles = 400});
    totals.hand_over_depth = 7;
    totals.punted_depth = 8;
    totals.events_depth = 9;
    totals.rounds = {.counts = {10, 11}, .total_us = 12, .longest_us = 13};
    return {totals};
  }

  std::vector<PortTraffic> PortCounters() override { return {}; }
  void SetPortUp(uint16_t /*port*/, bool /*up*/) override {}

  bool SendFrame(uint64_t handle, wire::Octets frame) override {
    const Lock lock(mutex);
    sent.emplace_back(handle, std::string(frame.begin(), frame.end()));
    return true;
  }
  size_t ReceiveFrames(std::vector<PuntedFrame>* out, size_t max) override {
    const Lock lock(mutex);
    return Move(&punted, out, max);
  }

  size_t TakeEvents(std::vector<CallEvent>* out, size_t max) override {
    const Lock lock(mutex);
    return Move(&events, out, max);
  }
  absl::Status StartTrace(uint64_t handle, uint32_t count) override {
    const Lock lock(mutex);
    if (count != 0 && calls.count(handle) == 0) return absl::NotFoundError("stale handle");
    trace_started.emplace_back(handle, count);
    return absl::OkStatus();
  }
  size_t TakeTrace(std::vector<TracedPacket>* out, size_t max) override {
    const Lock lock(mutex);
    return Move(&traced, out, max);
  }

  unsigned FromPort(uint16_t port, std::span<rte_mbuf*> out) override {
    return Take(&from_port[port], out);
  }
  unsigned FromClients(std::span<rte_mbuf*> out) override { return Take(&from_clients, out); }
  bool ToPort(uint16_t port, rte_mbuf* frame) override {
    const Lock lock(mutex);
    if (full) return false;
    to_port[port].push_back(frame);
    return true;
  }
  bool ToClients(rte_mbuf* packet) override {
    const Lock lock(mutex);
    if (full) return false;
    to_clients.push_back(packet);
    return true;
  }

  absl::Status SetRoute(uint32_t prefix, uint8_t len, const RouteTarget& target) override {
    const Lock lock(mutex);
    routes[{prefix, len}] = target;
    return absl::OkStatus();
  }
  absl::Status RemoveRoute(uint32_t prefix, uint8_t len) override {
    const Lock lock(mutex);
    return routes.erase({prefix, len}) > 0 ? absl::OkStatus() : absl::NotFoundError("no route");
  }
  void SetNeighbour(uint16_t port, uint32_t address, const MacAddress& mac) override {
    const Lock lock(mutex);
    neighbours[{port, address}] = mac;
  }
  void RemoveNeighbour(uint16_t port, uint32_t address) override {
    const Lock lock(mutex);
    neighbours.erase({port, address});
  }
  absl::Status SetIpv6Route(Ipv6Number prefix, uint8_t len,
                            const Ipv6RouteTarget& target) override {
    const Lock lock(mutex);
    ipv6_routes[{prefix, len}] = target;
    return absl::OkStatus();
  }
  absl::Status RemoveIpv6Route(Ipv6Number prefix, uint8_t len) override {
    const Lock lock(mutex);
    return ipv6_routes.erase({prefix, len}) > 0 ? absl::OkStatus()
                                                : absl::NotFoundError("no route");
  }
  void SetIpv6Neighbour(uint16_t port, Ipv6Number address, const MacAddress& mac) override {
    const Lock lock(mutex);
    ipv6_neighbours[{port, address}] = mac;
  }
  void RemoveIpv6Neighbour(uint16_t port, Ipv6Number address) override {
    const Lock lock(mutex);
    ipv6_neighbours.erase({port, address});
  }
  std::vector<std::pair<uint16_t, Ipv6Number>> TakeIpv6Unresolved() override {
    const Lock lock(mutex);
    return std::exchange(ipv6_unresolved, {});
  }
  OwnAddresses& own_addresses() override { return own; }
  std::vector<std::pair<uint16_t, uint32_t>> TakeUnresolved() override {
    const Lock lock(mutex);
    return std::exchange(unresolved, {});
  }

  // Route gives what was told of a prefix, kind and port and gateway, as text; empty: nothing.
  std::string Route(uint32_t prefix, uint8_t len) {
    const Lock lock(mutex);
    const auto found = routes.find({prefix, len});
    if (found == routes.end()) return {};
    switch (found->second.kind) {
      case RouteTarget::Kind::kLocal:
        return "local";
      case RouteTarget::Kind::kClients:
        return "clients";
      case RouteTarget::Kind::kBlackhole:
        return "blackhole";
      case RouteTarget::Kind::kAdjacency:
        return "port " + std::to_string(found->second.port) + " via " +
               std::to_string(found->second.gateway);
    }
    return {};
  }

  std::mutex mutex;
  uint64_t next_handle = 100;
  bool full = false;
  std::map<uint64_t, CallSpec> calls;
  std::vector<size_t> batches;  // operations of each Program()
  std::map<uint32_t, FilterSpec> filters;
  std::vector<std::pair<uint64_t, std::string>> sent;
  std::deque<PuntedFrame> punted;
  std::deque<CallEvent> events;
  std::vector<std::pair<uint64_t, uint32_t>> trace_started;  // handle, count; count 0: stopped
  std::deque<TracedPacket> traced;
  std::map<uint16_t, std::deque<rte_mbuf*>> from_port, to_port;
  std::deque<rte_mbuf*> from_clients, to_clients;
  std::map<std::pair<uint32_t, uint8_t>, RouteTarget> routes;
  std::map<std::pair<uint16_t, uint32_t>, MacAddress> neighbours;
  std::vector<std::pair<uint16_t, uint32_t>> unresolved;
  std::map<std::pair<Ipv6Number, uint8_t>, Ipv6RouteTarget> ipv6_routes;
  std::map<std::pair<uint16_t, Ipv6Number>, MacAddress> ipv6_neighbours;
  std::vector<std::pair<uint16_t, Ipv6Number>> ipv6_unresolved;
  OwnAddresses own{2};

 private:
  template <typename T>
  static size_t Move(std::deque<T>* from, std::vector<T>* out, size_t max) {
    size_t n = 0;
    for (; n < max && !from->empty(); ++n, from->pop_front()) out->push_back(from->front());
    return n;
  }
  unsigned Take(std::deque<rte_mbuf*>* queue, std::span<rte_mbuf*> out) {
    const Lock lock(mutex);
    unsigned n = 0;
    for (; n < out.size() && !queue->empty(); ++n, queue->pop_front()) out[n] = queue->front();
    return n;
  }
};

}  // namespace culvert::dataplane
