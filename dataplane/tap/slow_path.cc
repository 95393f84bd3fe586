#include "dataplane/tap/slow_path.h"

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <spdlog/spdlog.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

namespace culvert::dataplane {
namespace {

constexpr size_t kBurst = 32;

// How long to wait for the kernel when rounds in a row found nothing. What comes from the kernel
// ends a wait; what comes from the workers does not, so the last one bounds its delay.
constexpr unsigned kBusyRounds = 16;
constexpr unsigned kShortRounds = 64;
constexpr int kShortWaitUs = 100;
constexpr int kLongWaitUs = 1000;

int WaitUs(unsigned empty_rounds) {
  if (empty_rounds < kBusyRounds) return 0;
  return empty_rounds < kShortRounds ? kShortWaitUs : kLongWaitUs;
}

void Count(std::atomic<uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Writes one frame, which may lie in several segments.
bool Write(int fd, const rte_mbuf* mbuf) {
  std::array<iovec, 16> parts;
  size_t num_parts = 0;
  for (const rte_mbuf* segment = mbuf; segment != nullptr; segment = segment->next) {
    if (num_parts == parts.size()) return false;
    parts[num_parts++] = {rte_pktmbuf_mtod(segment, void*), segment->data_len};
  }
  return writev(fd, parts.data(), static_cast<int>(num_parts)) > 0;
}

}  // namespace

SlowPath::SlowPath(Datapath* datapath, rte_mempool* mbufs, std::vector<TunDevice*> taps,
                   TunDevice* clients)
    : datapath_(datapath), mbufs_(mbufs), num_ports_(taps.size()), counters_(taps.size() + 1) {
  for (const TunDevice* tap : taps) polled_.push_back({tap->fd(), POLLIN, 0});
  if (clients != nullptr) polled_.push_back({clients->fd(), POLLIN, 0});
}

void SlowPath::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "slow-path");
}

void SlowPath::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void SlowPath::Run() {
  // An lcore id gives the thread an mbuf cache of its own; without one it still works.
  const bool registered = rte_thread_register() == 0;
  unsigned empty_rounds = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const unsigned moved = Round(WaitUs(empty_rounds));
    empty_rounds = moved > 0 ? 0 : empty_rounds + 1;
  }
  if (registered) rte_thread_unregister();
}

unsigned SlowPath::Round(int timeout_us) {
  unsigned moved = 0;
  for (size_t i = 0; i < polled_.size(); ++i) moved += ToKernel(i);
  const timespec timeout{.tv_sec = 0, .tv_nsec = moved > 0 ? 0 : timeout_us * 1000L};
  const int ready = ppoll(polled_.data(), polled_.size(), &timeout, nullptr);
  if (ready <= 0) return moved;
  for (size_t i = 0; i < polled_.size(); ++i) {
    if ((polled_[i].revents & POLLIN) != 0) moved += FromKernel(i);
    // The kernel says POLLERR while an interface is down or gone; no frames then, no hurry.
    if ((polled_[i].revents & (POLLERR | POLLHUP)) != 0) usleep(kLongWaitUs);
  }
  return moved;
}

unsigned SlowPath::ToKernel(size_t i) {
  std::array<rte_mbuf*, kBurst> burst;
  const unsigned n = Take(i, burst);
  Counters& counters = counters_[i];
  for (unsigned k = 0; k < n; ++k) {
    Count(Write(polled_[i].fd, burst[k]) ? counters.to_kernel : counters.to_kernel_dropped);
    rte_pktmbuf_free(burst[k]);
  }
  return n;
}

unsigned SlowPath::FromKernel(size_t i) {
  Counters& counters = counters_[i];
  unsigned n = 0;
  for (; n < kBurst; ++n) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(mbufs_);
    if (mbuf == nullptr) {
      // Nothing to read into: the frame waits in the kernel's queue, which drops when full.
      Count(counters.from_kernel_dropped);
      usleep(kLongWaitUs);
      break;
    }
    const ssize_t len =
        read(polled_[i].fd, rte_pktmbuf_mtod(mbuf, void*), rte_pktmbuf_tailroom(mbuf));
    if (len <= 0) {
      rte_pktmbuf_free(mbuf);
      break;
    }
    mbuf->data_len = static_cast<uint16_t>(len);
    mbuf->pkt_len = static_cast<uint32_t>(len);
    if (Give(i, mbuf)) {
      Count(counters.from_kernel);
    } else {
      Count(counters.from_kernel_dropped);
      rte_pktmbuf_free(mbuf);
    }
  }
  return n;
}

unsigned SlowPath::Take(size_t i, std::span<rte_mbuf*> out) {
  return i < num_ports_ ? datapath_->FromPort(static_cast<uint16_t>(i), out)
                        : datapath_->FromClients(out);
}

bool SlowPath::Give(size_t i, rte_mbuf* mbuf) {
  return i < num_ports_ ? datapath_->ToPort(static_cast<uint16_t>(i), mbuf)
                        : datapath_->ToClients(mbuf);
}

SlowPathTotals SlowPath::Totals(size_t i) const {
  const Counters& counters = counters_[i];
  return {.to_kernel = counters.to_kernel.load(std::memory_order_relaxed),
          .from_kernel = counters.from_kernel.load(std::memory_order_relaxed),
          .to_kernel_dropped = counters.to_kernel_dropped.load(std::memory_order_relaxed),
          .from_kernel_dropped = counters.from_kernel_dropped.load(std::memory_order_relaxed)};
}

}  // namespace culvert::dataplane
