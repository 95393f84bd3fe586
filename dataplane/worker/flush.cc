// The ends of a burst: ports and rings take what has gathered for them.
#include <rte_ethdev.h>

#include "dataplane/worker/worker.h"

namespace culvert::dataplane {
namespace {

uint64_t Octets(rte_mbuf* const* mbufs, unsigned num) {
  uint64_t octets = 0;
  for (unsigned i = 0; i < num; ++i) {
    octets += rte_pktmbuf_pkt_len(mbufs[i]);
  }
  return octets;
}

}  // namespace

// Flush empties every queue to the outside.
void Worker::Flush() {
  for (uint16_t port = 0; port < to_ports_.size(); ++port) {
    FlushPort(port);
    FlushPuntedPort(port);
  }
  for (uint16_t worker = 0; worker < num_workers_; ++worker) {
    FlushWorker(worker);
  }
  FlushClients();
  FlushFrames();
}

void Worker::FlushPuntedPort(uint16_t port) {
  const unsigned dropped = FlushRing(&to_punted_ports_[port], punted_ports_[port].get(),
                                     &counters_.punted, DropReason::punt_port_full);
  if (dropped > 0) {
    Add(&context_.port_counters[port].tap_full, dropped);
  }
}

void Worker::FlushWorker(uint16_t worker) {
  FlushRing(&to_workers_[worker], hand_over_to_[worker], &counters_.handed_over,
            DropReason::hand_over_full);
}

void Worker::FlushClients() {
  FlushRing(&to_punted_clients_, punted_clients_.get(), &counters_.punted,
            DropReason::punt_clients_full);
}

void Worker::FlushFrames() {
  FlushRing(&to_punted_frames_, punted_frames_.get(), &counters_.punted,
            DropReason::punt_frame_full);
}

void Worker::FlushPort(uint16_t port) {
  Queue& queue = to_ports_[port];
  if (queue.num == 0) {
    return;
  }
  PortCountersBlock& counters = context_.port_counters[port];
  const bool is_up = context_.port_table->IsUp(port);
  const uint16_t sent = is_up ? Send(context_.ports[port], &queue, &counters) : 0;
  if (sent < queue.num) {
    Add(is_up ? &counters.transmit_full : &counters.down, queue.num - sent);
  }
  for (unsigned i = sent; i < queue.num; ++i) {
    Drop(&PacketOf(queue.mbufs[i]), is_up ? DropReason::transmit_full : DropReason::port_down);
  }
  queue.num = 0;
}

// Send gives how many the port took.
uint16_t Worker::Send(const PortSpec& port, Queue* queue, PortCountersBlock* counters) {
  // What the receiving port found out must not be read as wishes to the sending one.
  const uint64_t kept =
      RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT | (port.tx_checksum ? kTxChecksumFlags : 0);
  for (unsigned i = 0; i < queue->num; ++i) {
    queue->mbufs[i]->ol_flags &= kept;
  }
  const uint64_t octets = port.vlan != 0 ? Octets(queue->mbufs, queue->num) : 0;
  const uint16_t sent = rte_eth_tx_burst(port.dpdk_port, context_.worker, queue->mbufs,
                                         static_cast<uint16_t>(queue->num));
  Add(&counters_.transmitted, sent);
  if (port.vlan != 0) {
    Add(&counters->tx_packets, sent);
    Add(&counters->tx_octets, octets - Octets(queue->mbufs + sent, queue->num - sent));
  }
  return sent;
}

// FlushRing gives how many it dropped.
unsigned Worker::FlushRing(Queue* queue, MbufRing* ring, uint64_t* counter, DropReason full) {
  if (queue->num == 0) {
    return 0;
  }
  const unsigned put = ring->Put(queue->mbufs, queue->num);
  Add(counter, put);
  for (unsigned i = put; i < queue->num; ++i) {
    Drop(&PacketOf(queue->mbufs[i]), full);
  }
  const unsigned dropped = queue->num - put;
  queue->num = 0;
  return dropped;
}

}  // namespace culvert::dataplane
