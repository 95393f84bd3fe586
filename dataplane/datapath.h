// Datapath: the workers, the call table and the forwarding table behind one interface for
// the control side of the process. EAL is up and the ports are started when it is made; it
// owns neither. Unless said otherwise a function may be called from any non-worker thread.
#pragma once

#include <absl/numeric/int128.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/forwarding/own_addresses.h"
#include "dataplane/totals.h"
#include "proto/wire/cursor.h"

struct rte_mbuf;
struct rte_mempool;

namespace culvert::dataplane {

using MacAddress = std::array<uint8_t, 6>;

struct PortSpec {
  std::string name;
  uint16_t dpdk_port = 0;
  MacAddress mac{};
  uint16_t mtu = 1500;
  uint32_t interface_index = 0;  // of the TAP twin, as netlink names it; 0 in tests
  uint16_t vlan = 0;             // set: a sub-port, tagged frames on another port's device
  bool rx_checksum = false;      // its device's word that an IPv4 header checksum is right counts
  bool tx_checksum = false;      // its device puts in IPv4 header checksums
};

enum class IdleMode : uint8_t { kPoll, kSleep };

// Outer fragments, for each worker.
struct ReassemblySpec {
  uint32_t max_packets = 512;  // buffers held at most; a power of two, at least 8
  uint32_t timeout_ms = 1000;
};
// ICMP errors, for each worker: altogether, and about the packets to or from one call.
struct IcmpErrorSpec {
  uint32_t per_second = 1000;
  uint32_t per_call_per_second = 20;
};
// DatapathRole: which end of the calls this is. A gateway routes what is inside of calls, and calls
// are told apart by its address and Call ID. A client's owner sends and takes what is inside
// (ToCalls, FromCalls), and calls are told apart by the server's address and the client's Call ID,
// so that they may have any number of addresses; routes know nothing of them.
enum class DatapathRole : uint8_t { kGateway, kClient };

struct DatapathSpec {
  DatapathRole role = DatapathRole::kGateway;
  std::vector<PortSpec> ports;          // index in here = port index everywhere
  std::vector<unsigned> worker_lcores;  // EAL lcore ids; queue i of each port is worker i's
  IdleMode idle = IdleMode::kPoll;
  uint32_t max_local_addresses = 16;
  uint32_t punt_rate = 200;              // control frames a second and call
  uint32_t clients_interface_index = 0;  // of the TUN
  uint32_t max_routes = 131072;          // the kernel's, the neighbours' and the calls' together
  uint32_t max_ipv6_routes = 32768;
  ReassemblySpec reassembly;
  IcmpErrorSpec icmp_errors;
  uint32_t neighbour_wait_ms = 1000;  // of first packets to an unresolved next hop; 0: dropped
  rte_mempool* mbufs = nullptr;       // with kMbufPrivateLen octets of private area
};
// Private area that Datapath wants in every mbuf.
constexpr uint16_t kMbufPrivateLen = 64;
// The RSS key that ports get, so that the control side can tell which queue a call's packets reach.
// Its period of 16 bits makes both directions of an address pair equal.
constexpr std::array<uint8_t, 40> kRssKey = {
    0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
    0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
    0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a};

struct MppeKeySpec {
  uint16_t bits = 0;  // 40, 56, 128
  uint32_t epoch = 0;
  std::array<uint8_t, 16> start_key{};  // 8 octets for 40 and 56 bit
  bool stateful = false;
};
// RFC 2697 when peak_bps is 0, else RFC 2698, on inner IP octets. committed_bps 0: no limit.
struct PolicerSpec {
  uint64_t committed_bps = 0, peak_bps = 0;
  uint64_t committed_burst = 0, excess_burst = 0;  // octets
  bool operator==(const PolicerSpec&) const = default;
};
// LCP Echo-Requests (RFC 1661 s5.8) that the worker answers, and sends after silence.
struct KeepaliveSpec {
  bool enabled = false;     // false: they go to the control plane
  uint16_t interval_s = 0;  // 0: only answer
  uint8_t misses = 4;
  uint32_t magic = 0, peer_magic = 0;
};
struct ReorderSpec {
  uint8_t packets = 16;  // 0 to 64
  uint8_t delay_ms = 20;
};
struct PrefixSpec {
  std::array<uint8_t, 16> address{};  // network order; IPv4: the first four
  uint8_t len = 0;
  bool is_ipv6 = false;
};
struct Ipv6Spec {
  bool enabled = false;
  uint64_t interface_id = 0;
  PrefixSpec prefix;  // len 0: link-local only
};
struct OuterSpec {
  bool dont_fragment = false;
  bool copy_dscp = false;
  uint8_t dscp = 0;  // when not copied
};
struct CallSpec {
  uint64_t handle = 0;                           // 0: new
  uint32_t local_address = 0, peer_address = 0;  // outer, host order
  uint16_t call_id = 0, peer_call_id = 0;
  bool send_acfc = false, send_pfc = false;
  uint16_t peer_mru = 1500, mtu = 0;
  uint32_t client_address = 0;  // inner, host order; 0: none yet
  bool require_encryption = false;
  std::optional<MppeKeySpec> receive, send;
  uint16_t receive_window = 64;
  uint16_t peer_window = 0;  // packets; 0: not honoured
  ReorderSpec reorder;
  OuterSpec outer;
  KeepaliveSpec keepalive;
  PolicerSpec upstream_policer, downstream_policer;
  Ipv6Spec ipv6;
  uint32_t idle_timeout_s = 0;  // 0: never
  uint64_t octet_quota = 0;     // 0: none
  std::vector<PrefixSpec> routes;
  uint16_t filter = 0;          // FilterSpec::id; 0: none
  uint16_t ack_delay_ms = 100;  // 1 to 1000
  std::string record;
};
// CallOperation: one change of a batch, and what became of it.
struct CallOperation {
  enum class Kind : uint8_t { kUpsert, kRemove };
  Kind kind = Kind::kUpsert;
  CallSpec spec{};        // kUpsert; its keys are the caller's to wipe
  uint64_t handle = 0;    // kRemove; answer to kUpsert
  absl::Status status{};  // answer
  CallTotals totals{};    // answer to kRemove
};
struct CallEntry {
  CallSpec spec;  // keys zeroed
  CallTotals totals;
  unsigned worker = 0;
};
// CallEvent: something happened to a call that the control plane must act on.
struct CallEvent {
  enum class Kind : uint8_t {
    kDead,             // KeepaliveSpec::misses Echo-Requests went unanswered
    kIdle,             // idle_timeout_s passed
    kQuota,            // octet_quota is used up
    kMppeFailed,       // the receiver cannot resynchronise: CCP must be negotiated again
    kSequenceRestart,  // the peer has started its GRE sequence anew: the session is another one
  };
  uint64_t handle = 0;
  Kind kind = Kind::kDead;
  int64_t time_ms = 0;  // since 1970
};

// TracedPacket: what one packet of a traced call went through. Texts are static.
struct TracedStep {
  const char* name;
  const char* verdict;
  const char* drop_reason;  // null: not dropped
};
struct TracedPacket {
  uint64_t handle = 0;
  int64_t time_ns = 0;  // since 1970
  uint32_t len = 0;     // as it reached the first step
  bool downstream = false;
  unsigned worker = 0;
  std::vector<TracedStep> steps;
};

// Where packets to a prefix go.
enum class RouteKind : uint8_t {
  kLocal,      // an address of this machine: punt
  kAdjacency,  // via a resolved or unresolved next hop (gateway, or on-link host)
  kClients,    // the TUN's networks: a call's address, or nobody's
  kBlackhole,
};
template <typename Address>
struct BasicRouteTarget {
  using Kind = RouteKind;
  Kind kind = Kind::kBlackhole;
  uint16_t port = 0;   // kAdjacency
  Address gateway{0};  // kAdjacency: next hop, host order; 0: the destination itself is on link
};
using RouteTarget = BasicRouteTarget<uint32_t>;
using Ipv6Number = absl::uint128;  // an address in host order
using Ipv6RouteTarget = BasicRouteTarget<Ipv6Number>;

struct FilterSpec;  // filter/filter_spec.h

class Datapath {
 public:
  static absl::StatusOr<std::unique_ptr<Datapath>> Create(const DatapathSpec& spec);
  virtual ~Datapath() = default;

  // Start launches the workers on their lcores; Stop ends them and waits. Both once, by the main
  // thread.
  virtual absl::Status Start() = 0;
  virtual void Stop() = 0;
  // RunWorkerOnce does one round of worker `i` on the calling thread, when Start() was not called:
  // golden tests and benchmarks drive the real loop with it. Returns packets handled.
  virtual unsigned RunWorkerOnce(unsigned i) = 0;

  // Program carries out operations in order, each on its own, and waits until the owning workers
  // have applied them (or, before Start(), applies them itself).
  virtual void Program(std::span<CallOperation> operations) = 0;
  // Upsert and Remove are Program for one. Removing a stale handle gives empty totals.
  absl::StatusOr<uint64_t> Upsert(const CallSpec& spec);
  absl::StatusOr<CallTotals> Remove(uint64_t handle);
  virtual std::vector<CallEntry> List() = 0;
  virtual absl::Status SetFilter(const FilterSpec& spec) = 0;  // see FilterTable
  virtual absl::Status RemoveFilter(uint32_t id) = 0;
  virtual std::vector<std::pair<uint64_t, CallTotals>> CallCounters() = 0;
  virtual std::vector<WorkerTotals> WorkerCounters() = 0;

  // One for each port. Without link, as SetPortUp tells, the workers drop by name; one thread.
  virtual std::vector<PortTraffic> PortCounters() = 0;
  virtual void SetPortUp(uint16_t port, bool up) = 0;

  // Frames: `frame` starts at the protocol field, no FF 03. False: queue full or stale (counted).
  virtual bool SendFrame(uint64_t handle, wire::Octets frame) = 0;
  struct PuntedFrame {
    uint64_t handle;
    std::vector<uint8_t> data;
  };
  // ReceiveFrames takes what workers punted; one consumer thread.
  virtual size_t ReceiveFrames(std::vector<PuntedFrame>* out, size_t max) = 0;

  // TakeEvents takes what workers reported, oldest of a worker first; one consumer thread.
  virtual size_t TakeEvents(std::vector<CallEvent>* out, size_t max) = 0;

  // Client role: the packets inside of calls. One thread; whoever has an mbuf frees it.
  // ToCalls queues IPv4 packets of calls that `worker` has (WorkerOf: NOT_FOUND for a stale
  // handle); gives how many of the first ones it took. FromCalls gives IPv4 packets that came out
  // of calls.
  struct CallPacket {
    uint64_t handle = 0;
    rte_mbuf* mbuf = nullptr;
  };
  virtual absl::StatusOr<unsigned> WorkerOf(uint64_t handle) = 0;
  virtual unsigned ToCalls(unsigned worker, std::span<const CallPacket> packets) = 0;
  virtual unsigned FromCalls(std::span<CallPacket> out) = 0;

  // StartTrace has the next `count` packets of the call kept for TakeTrace, which gives those that
  // there are; it ends the trace before it, and 0 only does that. One thread. NotFound: stale.
  virtual absl::Status StartTrace(uint64_t handle, uint32_t count) = 0;
  virtual size_t TakeTrace(std::vector<TracedPacket>* out, size_t max) = 0;

  // TAP and TUN side; one thread (the slow-path thread). Mbufs are owned by the taker.
  // FromPort gives frames for port `port`'s TAP; FromClients decrypted IP packets for the TUN.
  virtual unsigned FromPort(uint16_t port, std::span<rte_mbuf*> out) = 0;
  virtual unsigned FromClients(std::span<rte_mbuf*> out) = 0;
  // ToPort queues an Ethernet frame for sending; ToClients an IP packet for the downstream path.
  // False: full (counted); the caller still owns the mbuf.
  virtual bool ToPort(uint16_t port, rte_mbuf* frame) = 0;
  virtual bool ToClients(rte_mbuf* packet) = 0;

  // Forwarding; one thread (the netlink thread). Prefix in host order.
  virtual absl::Status SetRoute(uint32_t prefix, uint8_t len, const RouteTarget& target) = 0;
  virtual absl::Status RemoveRoute(uint32_t prefix, uint8_t len) = 0;
  virtual void SetNeighbour(uint16_t port, uint32_t address, const MacAddress& mac) = 0;
  virtual void RemoveNeighbour(uint16_t port, uint32_t address) = 0;
  // The same for IPv6.
  virtual absl::Status SetIpv6Route(Ipv6Number prefix, uint8_t len,
                                    const Ipv6RouteTarget& target) = 0;
  virtual absl::Status RemoveIpv6Route(Ipv6Number prefix, uint8_t len) = 0;
  virtual void SetIpv6Neighbour(uint16_t port, Ipv6Number address, const MacAddress& mac) = 0;
  virtual void RemoveIpv6Neighbour(uint16_t port, Ipv6Number address) = 0;
  virtual std::vector<std::pair<uint16_t, Ipv6Number>> TakeIpv6Unresolved() = 0;
  // What the workers send from when a packet is their own.
  virtual OwnAddresses& own_addresses() = 0;
  // TakeUnresolved gives next hops that packets wanted and that have no neighbour yet, so that
  // the kernel can be asked to resolve them; at most a few per call.
  virtual std::vector<std::pair<uint16_t, uint32_t>> TakeUnresolved() = 0;
};

}  // namespace culvert::dataplane
