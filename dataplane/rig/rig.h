// Rig: a Datapath between ports that are rings in memory. Frames go in, the real loop of the
// workers runs on the calling thread, frames come out. For tests and benchmarks.
#pragma once

#include <rte_mbuf.h>

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/datapath.h"
#include "dataplane/rig/packets.h"

struct rte_ring;

namespace culvert::dataplane {

class Rig {
 public:
  struct Options {
    DatapathRole role = DatapathRole::kGateway;
    unsigned num_workers = 1;
    unsigned num_ports = 2;
    unsigned num_mbufs = 8191;
    unsigned ring_size = 1024;
    uint32_t punt_rate = 200;
    uint32_t max_local_addresses = 4;
    uint32_t max_routes = 4096;
    ReassemblySpec reassembly{};
    IcmpErrorSpec icmp_errors{};
    uint32_t neighbour_wait_ms = 1000;
    IdleMode idle = IdleMode::kSleep;
    uint16_t data_room = RTE_MBUF_DEFAULT_DATAROOM;  // of an mbuf, besides its headroom
    // Overwrites a port's mtu, mac, rx_checksum, tx_checksum.
    std::function<void(unsigned port, PortSpec* spec)> configure = {};
    // Sub-ports: VLANs on port 0, with port numbers from num_ports on.
    std::vector<uint16_t> vlans = {};
  };

  // Rig aborts when something cannot be made.
  explicit Rig(const Options& options);
  // The destructor checks that no mbuf is missing.
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  Datapath& datapath() { return *datapath_; }
  [[nodiscard]] rte_mempool* mbufs() const { return mbufs_; }
  [[nodiscard]] const std::vector<PortSpec>& ports() const { return ports_; }
  // Address of the station that frames come from and of the next hops on a port.
  static MacAddress PeerMac(unsigned port);

  // NewMbuf copies octets into an mbuf of the pool.
  [[nodiscard]] rte_mbuf* NewMbuf(const Bytes& octets) const;

  // Receive puts a frame before a port's queue; ReceiveIpv4 with an Ethernet header from PeerMac.
  void Receive(unsigned port, const Bytes& frame, unsigned queue = 0);
  void ReceiveIpv4(unsigned port, const Bytes& packet, unsigned queue = 0);
  // ReceiveMbuf takes the mbuf over; what a device tells of it stands in it.
  void ReceiveMbuf(unsigned port, rte_mbuf* mbuf, unsigned queue = 0);
  // Run lets all workers take turns until none has anything to do.
  void Run();
  // Sent takes what has left by a port, in order of queues.
  std::vector<Bytes> Sent(unsigned port);
  std::vector<Bytes> PuntedToPort(uint16_t port);
  std::vector<Bytes> PuntedToClients();
  std::vector<Datapath::PuntedFrame> PuntedFrames();

  // Drops sums over the workers; a name that is not in drop_reason.def aborts.
  uint64_t Drops(std::string_view name);
  uint64_t TotalDrops();

  // The rings themselves, for benchmarks: [port * num_workers + queue].
  [[nodiscard]] rte_ring* receive_ring(unsigned port, unsigned queue) const {
    return receive_[port * options_.num_workers + queue];
  }
  [[nodiscard]] rte_ring* send_ring(unsigned port, unsigned queue) const {
    return send_[port * options_.num_workers + queue];
  }

 private:
  void MakePort(unsigned port);
  void MakeSubPort(uint16_t vlan);

  Options options_;
  rte_mempool* mbufs_;
  std::vector<rte_ring*> receive_;
  std::vector<rte_ring*> send_;
  std::vector<PortSpec> ports_;
  std::unique_ptr<Datapath> datapath_;
};

}  // namespace culvert::dataplane
