// WorkerChoice: which worker gets a new call.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <vector>

namespace culvert::dataplane {

// The worker whose queue RSS fills with the call's packets, so that no hand-over is needed; but a
// peer address with more than its share of the calls (a NAT) is spread over all.
class WorkerChoice {
 public:
  explicit WorkerChoice(unsigned num_workers) : num_calls_(num_workers) {}

  // A hash modulo this, modulo the number of workers, is its queue: ports get such redirection
  // tables.
  static constexpr uint32_t kTableLen = 128;
  // RssWorker is the queue of packets from `peer` to `local` (host order), for a port with kRssKey
  // and a redirection table that repeats 0 to num_workers - 1.
  static unsigned RssWorker(uint32_t peer, uint32_t local, unsigned num_workers);

  // Add chooses and counts; Remove forgets a call again.
  unsigned Add(uint32_t peer, uint32_t local);
  void Remove(uint32_t peer, unsigned worker);

 private:
  std::vector<uint32_t> num_calls_;  // of each worker
  uint32_t total_ = 0;
  absl::flat_hash_map<uint32_t, uint32_t> num_calls_of_peer_;
};

}  // namespace culvert::dataplane
