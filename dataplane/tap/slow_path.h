// SlowPath: the thread that moves frames between the Datapath and the kernel: one TAP a port, one
// TUN for the clients.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "dataplane/datapath.h"
#include "dataplane/tap/tun_device.h"

namespace culvert::dataplane {

struct SlowPathTotals {
  uint64_t to_kernel = 0, from_kernel = 0;
  // Not taken: the kernel's queue, the Datapath's queue or the mbuf pool was at its limit.
  uint64_t to_kernel_dropped = 0, from_kernel_dropped = 0;
};

class SlowPath {
 public:
  // Borrows everything until Stop() is over. `taps[i]` is port i's; `clients` the TUN, null: none.
  SlowPath(Datapath* datapath, rte_mempool* mbufs, std::vector<TunDevice*> taps,
           TunDevice* clients);
  ~SlowPath() { Stop(); }
  SlowPath(const SlowPath&) = delete;
  SlowPath& operator=(const SlowPath&) = delete;

  void Start();
  void Stop();

  // Totals of port `i`'s TAP; of the TUN for i = number of ports. Any thread.
  [[nodiscard]] SlowPathTotals Totals(size_t i) const;

 private:
  // One per interface; written by the thread, read by any.
  struct Counters {
    std::atomic<uint64_t> to_kernel{0}, from_kernel{0};
    std::atomic<uint64_t> to_kernel_dropped{0}, from_kernel_dropped{0};
  };

  void Run();
  unsigned Round(int timeout_us);
  unsigned ToKernel(size_t i);
  unsigned FromKernel(size_t i);
  unsigned Take(size_t i, std::span<rte_mbuf*> out);
  bool Give(size_t i, rte_mbuf* mbuf);

  Datapath* datapath_;
  rte_mempool* mbufs_;
  size_t num_ports_;
  std::vector<pollfd> polled_;  // taps, then the TUN
  std::vector<Counters> counters_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace culvert::dataplane
