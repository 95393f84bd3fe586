// tools/bench latency: what the path adds to a packet's way. One lcore gives packets to the queue
// by the clock, whatever becomes of them (an open loop), the other is the worker. A packet's time
// begins when it was to be given, so a stall costs all packets that it kept waiting, and ends as
// the worker hands it to its port.
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/one_core.h"
#include "tools/bench_dataplane/row.h"
#include "tools/bench_dataplane/shift.h"
#include "tools/bench_dataplane/traffic.h"

namespace culvert::bench {
namespace {

constexpr unsigned kPackets = 32 * kBatch;  // of a shot
constexpr unsigned kRateShots = 9;
constexpr unsigned kBurst = 32;    // a worker's
constexpr unsigned kMaxLate = 32;  // packets given at once when the clock has run ahead

class Range {
 public:
  explicit Range(const TrafficSpec& spec)
      : rig_(RigOptions(spec)), traffic_(spec, &rig_), exits_(kPackets) {
    rte_eth_add_tx_callback(rig_.ports()[traffic_.output_port()].dpdk_port, 0, StampExit, this);
  }
  ~Range() = default;
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

  [[nodiscard]] bool ok() const { return traffic_.ok(); }
  // FullRate gives ticks a packet when the queue is never empty.
  double FullRate();
  // Shot adds the latencies of one shot, in ticks; false: it was disturbed or lost packets.
  // `full_round`: ticks of a round with a full burst.
  bool Shot(double ticks_per_packet, double full_round, std::vector<uint64_t>* latencies);
  // The rounds of the worker in such shots, and by turns, in as much time, pieces of arithmetic as
  // long as a round with a full burst; one a shot.
  [[nodiscard]] const std::vector<Gaps>& rounds() const { return rounds_; }
  [[nodiscard]] const std::vector<Gaps>& probes() const { return probes_; }

 private:
  static dataplane::Rig::Options RigOptions(const TrafficSpec& spec);
  static uint16_t StampExit(uint16_t port, uint16_t queue, rte_mbuf* mbufs[], uint16_t num,
                            void* range);
  void Make();
  bool Finish(const Shift& shift);
  void Give(double ticks_per_packet, uint64_t start);

  dataplane::Rig rig_;
  Traffic traffic_;
  std::vector<rte_mbuf*> packets_{kPackets};
  std::vector<uint64_t> exits_;  // TSC, by number in the shot
  std::vector<Gaps> rounds_;
  std::vector<Gaps> probes_;
};

dataplane::Rig::Options Range::RigOptions(const TrafficSpec& spec) {
  dataplane::Rig::Options options = Traffic::RigOptions(spec);
  options.num_mbufs = 2 * kPackets - 1;
  options.ring_size = 2 * kPackets;
  return options;
}

// The number is in the mbuf's RSS hash, which the path does not read.
uint16_t Range::StampExit(uint16_t port, uint16_t queue, rte_mbuf* mbufs[], uint16_t num,
                          void* range) {
  const uint64_t now = rte_rdtsc();
  for (uint16_t i = 0; i < num; ++i) {
    static_cast<Range*>(range)->exits_[mbufs[i]->hash.rss % kPackets] = now;
  }
  return num;
}

void Range::Make() {
  Batch batch;
  for (unsigned i = 0; i < kPackets; i += kBatch) {
    Allocate(rig_, &batch);
    traffic_.Fill(batch);
    for (unsigned k = 0; k < kBatch; ++k) {
      batch[k]->hash.rss = i + k;
      packets_[i + k] = batch[k];
    }
  }
  std::fill(exits_.begin(), exits_.end(), 0);
}

// Finish empties the rings; false: the shot does not count.
bool Range::Finish(const Shift& shift) {
  while (rig_.datapath().RunWorkerOnce(0) > 0) {
  }
  Discard(rig_.send_ring(traffic_.input_port(), 0));
  return Discard(rig_.send_ring(traffic_.output_port(), 0)) == kPackets && !shift.disturbed;
}

double Range::FullRate() {
  std::vector<double> rates;
  for (unsigned i = 0; i < 10 * kRateShots && rates.size() < kRateShots; ++i) {
    Make();
    rte_ring_enqueue_bulk(rig_.receive_ring(traffic_.input_port(), 0),
                          reinterpret_cast<void* const*>(packets_.data()), kPackets, nullptr);
    Shift shift;
    std::atomic<unsigned> ready{0};
    const std::function<void()> work[] = {[&] { shift.Work(&rig_, 0, &ready, 1); }};
    RunTogether(work);
    if (Finish(shift)) {
      rates.push_back(static_cast<double>(shift.end - shift.start) / kPackets);
    }
  }
  return Median(rates);
}

void Range::Give(double ticks_per_packet, uint64_t start) {
  rte_ring* ring = rig_.receive_ring(traffic_.input_port(), 0);
  const auto due = [&](unsigned i) { return start + static_cast<uint64_t>(ticks_per_packet * i); };
  for (unsigned i = 0; i < kPackets;) {
    const uint64_t now = rte_rdtsc();
    unsigned num = 0;
    while (num < kMaxLate && i + num < kPackets && due(i + num) <= now) {
      ++num;
    }
    if (num > 0) {
      rte_ring_enqueue_bulk(ring, reinterpret_cast<void* const*>(&packets_[i]), num, nullptr);
      i += num;
    }
  }
}

bool Range::Shot(double ticks_per_packet, double full_round, std::vector<uint64_t>* latencies) {
  Make();
  Shift shift;
  std::atomic<unsigned> ready{0};
  std::atomic<bool> over{false};
  uint64_t start = 0;
  Gaps probes;
  bool disturbed = false;
  const std::function<void()> functions[] = {
      [&] {
        shift.Work(&rig_, 0, &ready, 2);
        probes = Probe(shift.end - shift.start, full_round, shift.after.cycles_per_tick);
        over.store(true);
      },
      [&] {
        WaitForOthers(&ready, 2);
        const long preemptions = Preemptions();
        start = rte_rdtsc() + rte_get_tsc_hz() / 50000;  // the worker is surely polling by then
        Give(ticks_per_packet, start);
        disturbed = Preemptions() != preemptions;
        while (!over.load()) {  // the probe shall find this core as busy as the worker did
          rte_pause();
        }
      }};
  RunTogether(functions);
  if (!Finish(shift) || disturbed) {
    return false;
  }
  rounds_.push_back(shift.rounds);
  probes_.push_back(probes);
  for (unsigned i = 0; i < kPackets; ++i) {
    latencies->push_back(exits_[i] - start - static_cast<uint64_t>(ticks_per_packet * i));
  }
  return true;
}

std::vector<uint64_t> SortedLongest(const std::vector<Gaps>& all) {
  std::vector<uint64_t> longest;
  for (const Gaps& gaps : all) {
    longest.push_back(gaps.longest);
  }
  std::sort(longest.begin(), longest.end());
  return longest;
}

unsigned NumLong(const std::vector<Gaps>& all) {
  return std::accumulate(all.begin(), all.end(), 0U,
                         [](unsigned num, const Gaps& gaps) { return num + gaps.num_long; });
}

double Microseconds(const std::vector<uint64_t>& sorted, double quantile) {
  const auto i = static_cast<size_t>(quantile * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[i]) * 1e6 / static_cast<double>(rte_get_tsc_hz());
}

}  // namespace

int MeasureLatency(const Options& options) {
  const TrafficSpec spec{options.path == "upstream", options.mppe == "128", options.size,
                         options.calls, false};
  Range range(spec);
  if (!range.ok()) {
    return 1;
  }
  const double full = range.FullRate();
  std::vector<uint64_t> latencies;
  unsigned num_disturbed = 0;
  for (unsigned i = 0; i < options.samples; ++i) {
    num_disturbed += range.Shot(full / options.load, kBurst * full, &latencies) ? 0 : 1;
  }
  if (full == 0 || latencies.empty()) {
    std::fprintf(stderr, "bench: every sample was disturbed; nothing is measured\n");
    return 1;
  }
  std::sort(latencies.begin(), latencies.end());
  const std::vector<uint64_t> rounds = SortedLongest(range.rounds());
  const std::vector<uint64_t> probes = SortedLongest(range.probes());
  const double full_mpps = static_cast<double>(rte_get_tsc_hz()) / full / 1e6;
  Row row("latency");
  row.Text("path", options.path).Text("mppe", options.mppe).Count("size", options.size);
  row.Count("calls", options.calls).Number("full_mpps", full_mpps, 3);
  row.Number("mpps", full_mpps * options.load, 3);
  row.Number("p50_us", Microseconds(latencies, 0.5), 2);
  row.Number("p99_us", Microseconds(latencies, 0.99), 2);
  row.Number("p999_us", Microseconds(latencies, 0.999), 2);
  row.Number("max_us", Microseconds(latencies, 1), 2);
  row.Number("round_p50_us", Microseconds(rounds, 0.5), 2);
  row.Number("round_max_us", Microseconds(rounds, 1), 2);
  row.Number("probe_p50_us", Microseconds(probes, 0.5), 2);
  row.Number("probe_max_us", Microseconds(probes, 1), 2);
  row.Count("rounds_over_100us", NumLong(range.rounds()));
  row.Count("probes_over_100us", NumLong(range.probes()));
  row.Count("packets", latencies.size()).Count("disturbed", num_disturbed);
  row.Print();
  return 0;
}

}  // namespace culvert::bench
