#include "dataplane/forwarding/adjacency.h"

#include <rte_malloc.h>

namespace culvert::dataplane {

absl::StatusOr<std::unique_ptr<AdjacencyTable>> AdjacencyTable::Create(unsigned num_workers) {
  auto* qsbr = static_cast<rte_rcu_qsbr*>(
      rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(num_workers), RTE_CACHE_LINE_SIZE));
  if (qsbr == nullptr || rte_rcu_qsbr_init(qsbr, num_workers) != 0) {
    rte_free(qsbr);
    return absl::ResourceExhaustedError("adjacencies: no memory; give dataplane.memory_mb more");
  }
  for (unsigned worker = 0; worker < num_workers; ++worker) {
    rte_rcu_qsbr_thread_register(qsbr, worker);
  }
  return std::unique_ptr<AdjacencyTable>(new AdjacencyTable(qsbr));
}

AdjacencyTable::AdjacencyTable(rte_rcu_qsbr* qsbr) : qsbr_(qsbr), slots_(kNumSlots) {
  for (uint32_t slot = kNumSlots; slot-- > 0;) {
    free_slots_.push_back(slot);
  }
}

AdjacencyTable::~AdjacencyTable() {
  for (const Retired& old : retired_) {
    if (old.free_slot) {
      slots_[old.slot].store(nullptr, std::memory_order_relaxed);
    }
    delete old.adjacency;
  }
  for (auto& slot : slots_) {
    delete slot.load(std::memory_order_relaxed);
  }
  rte_free(qsbr_);
}

uint32_t AdjacencyTable::Insert(const EthernetAdjacency& adjacency) {
  Reclaim();
  if (free_slots_.empty()) {
    return kFull;
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot].store(new EthernetAdjacency(adjacency), std::memory_order_release);
  return slot;
}

void AdjacencyTable::Replace(uint32_t slot, const EthernetAdjacency& adjacency) {
  const EthernetAdjacency* old =
      slots_[slot].exchange(new EthernetAdjacency(adjacency), std::memory_order_acq_rel);
  retired_.push_back({rte_rcu_qsbr_start(qsbr_), old, false, slot});
  Reclaim();
}

void AdjacencyTable::Erase(uint32_t slot) {
  // The object stays readable: a worker may have looked the slot up just before.
  retired_.push_back({rte_rcu_qsbr_start(qsbr_), slots_[slot].load(), true, slot});
  Reclaim();
}

void AdjacencyTable::Reclaim() {
  while (!retired_.empty() && rte_rcu_qsbr_check(qsbr_, retired_.front().token, false) == 1) {
    const Retired& old = retired_.front();
    if (old.free_slot) {
      slots_[old.slot].store(nullptr, std::memory_order_relaxed);
      free_slots_.push_back(old.slot);
    }
    delete old.adjacency;
    retired_.pop_front();
  }
}

}  // namespace culvert::dataplane
