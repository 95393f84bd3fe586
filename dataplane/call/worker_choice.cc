#include "dataplane/call/worker_choice.h"

#include <rte_thash.h>

#include <algorithm>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

unsigned WorkerChoice::RssWorker(uint32_t peer, uint32_t local, unsigned num_workers) {
  uint32_t tuple[] = {peer, local};
  const uint32_t hash = rte_softrss(tuple, 2, kRssKey.data());
  return hash % kTableLen % num_workers;
}

unsigned WorkerChoice::Add(uint32_t peer, uint32_t local) {
  const auto num_workers = static_cast<unsigned>(num_calls_.size());
  const uint32_t share = std::max<uint32_t>(16, total_ / (4 * num_workers));
  uint32_t& of_peer = num_calls_of_peer_[peer];
  unsigned worker = RssWorker(peer, local, num_workers);
  if (of_peer >= share) {
    worker = static_cast<unsigned>(std::min_element(num_calls_.begin(), num_calls_.end()) -
                                   num_calls_.begin());
  }
  ++of_peer;
  ++num_calls_[worker];
  ++total_;
  return worker;
}

void WorkerChoice::Remove(uint32_t peer, unsigned worker) {
  auto of_peer = num_calls_of_peer_.find(peer);
  if (--of_peer->second == 0) {
    num_calls_of_peer_.erase(of_peer);
    if (num_calls_of_peer_.empty()) {
      num_calls_of_peer_ = {};  // its memory goes back
    }
  }
  --num_calls_[worker];
  --total_;
}

}  // namespace culvert::dataplane
