// MbufRing: a bounded ring of mbuf pointers with one producer and one consumer.
#pragma once

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <memory>

namespace culvert::dataplane {

class MbufRing {
 public:
  // Create makes a ring for `size` - 1 pointers, `size` a power of two; nullptr: no memory.
  static std::unique_ptr<MbufRing> Create(unsigned size) {
    const ssize_t len = rte_ring_get_memsize(size);
    auto* ring = static_cast<rte_ring*>(
        rte_zmalloc("mbuf_ring", static_cast<size_t>(len), RTE_CACHE_LINE_SIZE));
    if (ring == nullptr) {
      return nullptr;
    }
    rte_ring_init(ring, "mbuf_ring", size, RING_F_SP_ENQ | RING_F_SC_DEQ);
    return std::unique_ptr<MbufRing>(new MbufRing(ring));
  }
  // The mbufs still in it are freed.
  ~MbufRing() {
    rte_mbuf* mbuf = nullptr;
    while (Take(&mbuf, 1) == 1) {
      rte_pktmbuf_free(mbuf);
    }
    rte_free(ring_);
  }
  MbufRing(const MbufRing&) = delete;
  MbufRing& operator=(const MbufRing&) = delete;

  // Put gives how many of the first `n` it took; the caller still owns the rest.
  unsigned Put(rte_mbuf** mbufs, unsigned n) {
    return rte_ring_sp_enqueue_burst(ring_, reinterpret_cast<void**>(mbufs), n, nullptr);
  }
  unsigned Take(rte_mbuf** mbufs, unsigned max) {
    return rte_ring_sc_dequeue_burst(ring_, reinterpret_cast<void**>(mbufs), max, nullptr);
  }
  [[nodiscard]] uint32_t depth() const { return rte_ring_count(ring_); }

 private:
  explicit MbufRing(rte_ring* ring) : ring_(ring) {}
  rte_ring* ring_;
};

}  // namespace culvert::dataplane
