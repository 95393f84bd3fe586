// WorkerContext: what steps may use besides their packet. One per worker; its thread's only.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/call/call_table.h"
#include "dataplane/filter/filter_table.h"
#include "dataplane/forwarding/adjacency.h"
#include "dataplane/forwarding/call_prefixes.h"
#include "dataplane/forwarding/client_table.h"
#include "dataplane/forwarding/fib.h"
#include "dataplane/forwarding/fib6.h"
#include "dataplane/forwarding/own_addresses.h"
#include "dataplane/forwarding/port_table.h"
#include "dataplane/forwarding/prefix_table.h"
#include "dataplane/ip/error_limit.h"
#include "dataplane/ip/neighbour_wait.h"
#include "dataplane/ip/path_mtu.h"
#include "dataplane/ip/reassembly.h"
#include "dataplane/mppe/sha1.h"
#include "dataplane/mppe/worker_mppe.h"
#include "dataplane/packet/packet.h"
#include "dataplane/reorder/reorder_pool.h"
#include "dataplane/worker/ack_queue.h"
#include "dataplane/worker/counters.h"
#include "dataplane/worker/event_queue.h"
#include "dataplane/worker/spawned.h"
#include "dataplane/worker/unresolved.h"

struct rte_mempool;

namespace culvert::dataplane {

class Sweep;

struct WorkerContext {
  uint16_t worker = 0;
  // The clock, read once a burst. The milliseconds wrap; compare differences.
  uint64_t now_tsc = 0;
  uint32_t now_ms = 0;
  uint32_t route_epoch = 0;  // the forwarding table's, read once a burst
  uint16_t next_ip_id = 0;   // of outer headers
  uint32_t punt_rate = 0;    // control frames a second and call
  std::span<const PortSpec> ports;
  const PortTable* port_table = nullptr;
  bool tx_checksum = false;  // some port puts in the outer header's checksum
  bool is_client = false;    // DatapathRole::kClient
  Verdict from_calls = Verdict::GoTo(Stage::kRoute);   // what is sound out of a call
  std::unique_ptr<PortCountersBlock[]> port_counters;  // one for each port
  CallTable* calls = nullptr;
  const Fib* fib = nullptr;
  const ClientTable* clients = nullptr;
  const CallPrefixTable* prefixes = nullptr;
  const Fib6* fib6 = nullptr;
  const PrefixTable* clients6 = nullptr;
  const AdjacencyTable* adjacencies = nullptr;
  const FilterTable* filters = nullptr;
  rte_mempool* mbufs = nullptr;  // for packets that steps make
  WorkerCounters* counters = nullptr;
  const OwnAddresses* own = nullptr;  // what to send from
  std::unique_ptr<mppe::Sha1> sha1;
  std::unique_ptr<mppe::WorkerMppe> mppe;
  std::unique_ptr<Reassembly> reassembly;  // of GRE packets to us
  std::unique_ptr<ErrorLimit> error_limit;
  std::unique_ptr<NeighbourWait> neighbour_wait;
  PathMtuTable* path_mtus = nullptr;  // all workers'
  AckQueue acks;
  ReorderPool reorder;
  UnresolvedQueue unresolved;
  Ipv6UnresolvedQueue ipv6_unresolved;
  EventQueue events;
  Sweep* sweep = nullptr;
  Spawned spawned;  // packets that steps made or released; the loop takes them up

  // round tells the worker's rounds apart.
  [[nodiscard]] uint32_t round() const { return static_cast<uint32_t>(now_tsc); }
  void Spawn(Stage stage, Packet& packet) { spawned.Put(stage, &packet); }
  // Count is for a drop without a verdict: what was never a packet of the loop's.
  // MaySendError keeps ICMP errors to their rate, and counts them. `party`: of the error limit.
  bool MaySendError(uint32_t party) {
    const bool may = error_limit->Take(party, now_ms);
    Add(may ? &counters->icmp_errors : &counters->icmp_suppressed, 1);
    return may;
  }
  void Count(DropReason reason) { Add(&counters->drops[static_cast<size_t>(reason)], 1); }
};

}  // namespace culvert::dataplane
