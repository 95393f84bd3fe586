#include "dataplane/rig/rig.h"

#include <absl/strings/str_cat.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace culvert::dataplane {
namespace {

std::atomic<unsigned> num_names{0};

void Require(bool ok, const char* what) {
  if (!ok) {
    std::fprintf(stderr, "rig: %s\n", what);
    std::abort();
  }
}

Bytes Contents(rte_mbuf* mbuf) {
  const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  Bytes bytes(data, data + rte_pktmbuf_data_len(mbuf));
  rte_pktmbuf_free(mbuf);
  return bytes;
}

}  // namespace

Rig::Rig(const Options& options) : options_(options) {
  mbufs_ = rte_pktmbuf_pool_create(
      absl::StrCat("rig", ++num_names).c_str(), options.num_mbufs, 64, kMbufPrivateLen,
      static_cast<uint16_t>(RTE_PKTMBUF_HEADROOM + options.data_room), SOCKET_ID_ANY);
  Require(mbufs_ != nullptr, "no memory for mbufs");
  for (unsigned port = 0; port < options.num_ports; ++port) {
    MakePort(port);
  }
  for (const uint16_t vlan : options.vlans) {
    MakeSubPort(vlan);
  }
  DatapathSpec spec;
  spec.role = options.role;
  spec.ports = ports_;
  for (unsigned i = 0; i < options.num_workers; ++i) {
    spec.worker_lcores.push_back(i + 1);
  }
  spec.idle = options.idle;
  spec.max_local_addresses = options.max_local_addresses;
  spec.punt_rate = options.punt_rate;
  spec.max_routes = options.max_routes;
  spec.reassembly = options.reassembly;
  spec.icmp_errors = options.icmp_errors;
  spec.neighbour_wait_ms = options.neighbour_wait_ms;
  spec.mbufs = mbufs_;
  auto datapath = Datapath::Create(spec);
  Require(datapath.ok(), datapath.status().ToString().c_str());
  datapath_ = std::move(*datapath);
}

Rig::~Rig() {
  datapath_.reset();
  for (auto* rings : {&receive_, &send_}) {
    for (rte_ring* ring : *rings) {
      void* mbuf = nullptr;
      while (rte_ring_dequeue(ring, &mbuf) == 0) {
        rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
      }
    }
  }
  for (const PortSpec& port : ports_) {
    if (port.vlan != 0) {
      continue;
    }
    rte_eth_dev_stop(port.dpdk_port);
    rte_eth_dev_close(port.dpdk_port);
  }
  for (auto* rings : {&receive_, &send_}) {
    for (rte_ring* ring : *rings) {
      rte_ring_free(ring);
    }
  }
  Require(rte_mempool_in_use_count(mbufs_) == 0, "an mbuf was leaked");
  rte_mempool_free(mbufs_);
}

void Rig::MakePort(unsigned port) {
  const std::string name = absl::StrCat("rig", ++num_names);
  const unsigned num_queues = options_.num_workers;
  for (unsigned queue = 0; queue < num_queues; ++queue) {
    for (auto* rings : {&receive_, &send_}) {
      rings->push_back(rte_ring_create(absl::StrCat("ring", ++num_names).c_str(),
                                       options_.ring_size, SOCKET_ID_ANY,
                                       RING_F_SP_ENQ | RING_F_SC_DEQ));
      Require(rings->back() != nullptr, "no memory for rings");
    }
  }
  const int id = rte_eth_from_rings(name.c_str(), &receive_[port * num_queues], num_queues,
                                    &send_[port * num_queues], num_queues, 0);
  Require(id >= 0, "rte_eth_from_rings");
  const auto dpdk_port = static_cast<uint16_t>(id);
  const rte_eth_conf configuration{};
  Require(rte_eth_dev_configure(dpdk_port, static_cast<uint16_t>(num_queues),
                                static_cast<uint16_t>(num_queues), &configuration) == 0,
          "rte_eth_dev_configure");
  for (uint16_t queue = 0; queue < num_queues; ++queue) {
    Require(rte_eth_rx_queue_setup(dpdk_port, queue, 64, 0, nullptr, mbufs_) == 0, "rx queue");
    Require(rte_eth_tx_queue_setup(dpdk_port, queue, 64, 0, nullptr) == 0, "tx queue");
  }
  Require(rte_eth_dev_start(dpdk_port) == 0, "rte_eth_dev_start");
  PortSpec spec;
  spec.name = name;
  spec.dpdk_port = dpdk_port;
  spec.mac = {0x02, 0, 0, 0, 0, static_cast<uint8_t>(port)};
  if (options_.configure) {
    options_.configure(port, &spec);
  }
  ports_.push_back(spec);
}

void Rig::MakeSubPort(uint16_t vlan) {
  PortSpec spec = ports_[0];
  spec.name = absl::StrCat(spec.name, ".", vlan);
  spec.vlan = vlan;
  ports_.push_back(spec);
}

MacAddress Rig::PeerMac(unsigned port) { return {0x02, 0, 0, 0, 1, static_cast<uint8_t>(port)}; }

rte_mbuf* Rig::NewMbuf(const Bytes& octets) const {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(mbufs_);
  Require(mbuf != nullptr, "out of mbufs");
  char* data = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(octets.size()));
  Require(data != nullptr, "frame too long");
  std::copy(octets.begin(), octets.end(), data);
  return mbuf;
}

void Rig::Receive(unsigned port, const Bytes& frame, unsigned queue) {
  ReceiveMbuf(port, NewMbuf(frame), queue);
}

void Rig::ReceiveMbuf(unsigned port, rte_mbuf* mbuf, unsigned queue) {
  Require(rte_ring_enqueue(receive_ring(port, queue), mbuf) == 0, "receive ring full");
}

void Rig::ReceiveIpv4(unsigned port, const Bytes& packet, unsigned queue) {
  Receive(port, MakeEthernet(ports_[port].mac, PeerMac(port), 0x0800, packet), queue);
}

void Rig::Run() {
  unsigned handled = 1;
  while (handled > 0) {
    handled = 0;
    for (unsigned worker = 0; worker < options_.num_workers; ++worker) {
      handled += datapath_->RunWorkerOnce(worker);
    }
  }
}

std::vector<Bytes> Rig::Sent(unsigned port) {
  std::vector<Bytes> frames;
  void* mbuf = nullptr;
  for (unsigned queue = 0; queue < options_.num_workers; ++queue) {
    while (rte_ring_dequeue(send_ring(port, queue), &mbuf) == 0) {
      frames.push_back(Contents(static_cast<rte_mbuf*>(mbuf)));
    }
  }
  return frames;
}

std::vector<Bytes> Rig::PuntedToPort(uint16_t port) {
  std::vector<Bytes> frames;
  rte_mbuf* mbuf = nullptr;
  while (datapath_->FromPort(port, {&mbuf, 1}) == 1) {
    frames.push_back(Contents(mbuf));
  }
  return frames;
}

std::vector<Bytes> Rig::PuntedToClients() {
  std::vector<Bytes> packets;
  rte_mbuf* mbuf = nullptr;
  while (datapath_->FromClients({&mbuf, 1}) == 1) {
    packets.push_back(Contents(mbuf));
  }
  return packets;
}

std::vector<Datapath::PuntedFrame> Rig::PuntedFrames() {
  std::vector<Datapath::PuntedFrame> frames;
  datapath_->ReceiveFrames(&frames, SIZE_MAX);
  return frames;
}

uint64_t Rig::Drops(std::string_view name) {
  uint64_t packets = 0;
  bool found = false;
  for (const WorkerTotals& worker : datapath_->WorkerCounters()) {
    for (const DropTotal& drop : worker.drops) {
      if (drop.name == name) {
        packets += drop.packets;
        found = true;
      }
    }
  }
  Require(found, "no such drop reason");
  return packets;
}

uint64_t Rig::TotalDrops() {
  uint64_t packets = 0;
  for (const WorkerTotals& worker : datapath_->WorkerCounters()) {
    for (const DropTotal& drop : worker.drops) {
      packets += drop.packets;
    }
  }
  return packets;
}

}  // namespace culvert::dataplane
