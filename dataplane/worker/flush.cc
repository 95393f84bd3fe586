// The ends of a burst: ports and rings take what has gathered for them.
#include <rte_ethdev.h>

#include "dataplane/worker/worker.h"

namespace culvert::dataplane {

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
  FlushRing(&to_punted_ports_[port], punted_ports_[port].get(), &counters_.punted,
            DropReason::punt_port_full);
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
  for (unsigned i = 0; i < queue.num; ++i) {
    // What the receiving port found out must not be read as wishes to the sending one.
    queue.mbufs[i]->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  }
  const uint16_t sent = rte_eth_tx_burst(context_.ports[port].dpdk_port, context_.worker,
                                         queue.mbufs, static_cast<uint16_t>(queue.num));
  Add(&counters_.transmitted, sent);
  for (unsigned i = sent; i < queue.num; ++i) {
    Drop(&PacketOf(queue.mbufs[i]), DropReason::transmit_full);
  }
  queue.num = 0;
}

void Worker::FlushRing(Queue* queue, MbufRing* ring, uint64_t* counter, DropReason full) {
  if (queue->num == 0) {
    return;
  }
  const unsigned put = ring->Put(queue->mbufs, queue->num);
  Add(counter, put);
  for (unsigned i = put; i < queue->num; ++i) {
    Drop(&PacketOf(queue->mbufs[i]), full);
  }
  queue->num = 0;
}

}  // namespace culvert::dataplane
