#include "tools/bench_dataplane/one_core.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

namespace culvert::bench {

namespace {
constexpr unsigned kBurst = 32;
}  // namespace

void Allocate(const dataplane::Rig& rig, Batch* batch) {
  if (rte_pktmbuf_alloc_bulk(rig.mbufs(), batch->data(), kBatch) != 0) {
    std::fprintf(stderr, "bench: out of mbufs\n");
    std::abort();
  }
}

unsigned Discard(rte_ring* ring) {
  void* mbufs[kBurst];
  unsigned total = 0;
  while (const unsigned num = rte_ring_dequeue_burst(ring, mbufs, kBurst, nullptr)) {
    rte_pktmbuf_free_bulk(reinterpret_cast<rte_mbuf**>(mbufs), num);
    total += num;
  }
  return total;
}

void SayDrops(dataplane::Rig* rig) {
  for (const dataplane::WorkerTotals& worker : rig->datapath().WorkerCounters()) {
    for (const dataplane::DropTotal& drop : worker.drops) {
      if (drop.packets > 0) {
        std::fprintf(stderr, "bench: dropped %lu: %s: %s\n", drop.packets, drop.name, drop.text);
      }
    }
  }
}

long Preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

void OneCore::Enqueue(const Batch& batch) {
  rte_ring_enqueue_bulk(rig_->receive_ring(input_, 0), reinterpret_cast<void* const*>(batch.data()),
                        kBatch, nullptr);
}

void OneCore::Collect() {
  num_out_ += Discard(rig_->send_ring(output_, 0));
  num_back_ += Discard(rig_->send_ring(input_, 0));
}

uint64_t OneCore::Drain(const Batch& batch) {
  Enqueue(batch);
  const long before = Preemptions();
  const uint64_t start = rte_rdtsc();
  while (rig_->datapath().RunWorkerOnce(0) > 0) {
  }
  const uint64_t took = rte_rdtsc() - start;
  disturbed_ = Preemptions() != before;
  Collect();
  return took;
}

uint64_t OneCore::Settle(uint64_t* num_sent) {
  uint64_t ticks = 0;
  for (;;) {
    const uint64_t start = rte_rdtsc();
    rig_->datapath().RunWorkerOnce(0);
    const uint64_t took = rte_rdtsc() - start;
    const unsigned sent = Discard(rig_->send_ring(input_, 0));
    if (sent == 0) {
      return ticks;
    }
    ticks += took;
    *num_sent += sent;
  }
}

uint64_t OneCore::DrainEmpty(const Batch& batch) {
  Enqueue(batch);
  const uint16_t input = rig_->ports()[input_].dpdk_port;
  const uint16_t output = rig_->ports()[output_].dpdk_port;
  rte_mbuf* mbufs[kBurst];
  const uint64_t start = rte_rdtsc();
  while (const uint16_t num = rte_eth_rx_burst(input, 0, mbufs, kBurst)) {
    rte_eth_tx_burst(output, 0, mbufs, num);
  }
  const uint64_t took = rte_rdtsc() - start;
  Discard(rig_->send_ring(output_, 0));
  return took;
}

}  // namespace culvert::bench
