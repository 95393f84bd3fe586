// tools/bench dataplane --workers 2: two workers on two cores against one, by turns. All packets
// from clients come from one outer address, so RSS puts them into one queue, whose worker hands
// half of them over; those to clients it spreads. They are made before: nothing but the workers
// runs while a sample is taken.
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstdio>

#include "dataplane/call/worker_choice.h"
#include "proto/wire/byte_order.h"
#include "tools/bench_dataplane/frames.h"
#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/one_core.h"
#include "tools/bench_dataplane/row.h"
#include "tools/bench_dataplane/shift.h"
#include "tools/bench_dataplane/traffic.h"

namespace culvert::bench {
namespace {

constexpr unsigned kPackets = 16 * kBatch;
constexpr unsigned kWarmUpSamples = 2;

dataplane::Rig::Options RigOptions(const TrafficSpec& spec, unsigned num_workers) {
  dataplane::Rig::Options options = Traffic::RigOptions(spec);
  options.num_workers = num_workers;
  options.num_mbufs = 3 * kPackets - 1;
  options.ring_size = 2 * kPackets;
  return options;
}

class Crew {
 public:
  Crew(const TrafficSpec& spec, unsigned num_workers)
      : num_workers_(num_workers), rig_(RigOptions(spec, num_workers)), traffic_(spec, &rig_) {}

  [[nodiscard]] bool ok() const { return traffic_.ok(); }
  // Sample has the crew drain its queue; lcore `first` + 1 is worker 0's. What was disturbed or
  // lost packets does not count.
  void Sample(unsigned first, Samples* ticks);
  [[nodiscard]] unsigned num_disturbed() const { return num_disturbed_; }
  [[nodiscard]] double HandedOver();  // share of the packets
  [[nodiscard]] double Lost();        // as well
  // Busy is the median share of a sample during which a worker had something to do.
  [[nodiscard]] double Busy(unsigned worker) const { return Median(busy_[worker]); }

 private:
  [[nodiscard]] unsigned Queue(rte_mbuf* mbuf) const;
  void Fill();
  unsigned Collect();
  void Settle();

  unsigned num_workers_;
  dataplane::Rig rig_;
  Traffic traffic_;
  std::vector<double> busy_[2];
  uint64_t num_in_ = 0;
  unsigned num_disturbed_ = 0;
};

// Queue is where RSS would put the frame.
unsigned Crew::Queue(rte_mbuf* mbuf) const {
  constexpr size_t kSourceOffset = kEthernetLen + 12;
  const auto* at = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, kSourceOffset);
  return dataplane::WorkerChoice::RssWorker(wire::LoadBe32(at), wire::LoadBe32(at + 4),
                                            num_workers_);
}

void Crew::Fill() {
  Batch batch;
  for (unsigned i = 0; i < kPackets / kBatch; ++i) {
    Allocate(rig_, &batch);
    traffic_.Fill(batch);
    for (rte_mbuf* mbuf : batch) {
      rte_ring_enqueue(rig_.receive_ring(traffic_.input_port(), Queue(mbuf)), mbuf);
    }
  }
  num_in_ += kPackets;
}

// Settle lets what fell due while packets were made leave before the sample, and what is left of a
// disturbed sample after it.
void Crew::Settle() {
  unsigned sent = 1;
  while (sent > 0) {
    sent = 0;
    for (unsigned worker = 0; worker < num_workers_; ++worker) {
      sent += rig_.datapath().RunWorkerOnce(worker);
      sent += Discard(rig_.send_ring(traffic_.input_port(), worker));
    }
  }
}

unsigned Crew::Collect() {
  unsigned out = 0;
  for (unsigned worker = 0; worker < num_workers_; ++worker) {
    out += Discard(rig_.send_ring(traffic_.output_port(), worker));
    Discard(rig_.send_ring(traffic_.input_port(), worker));
  }
  return out;
}

void Crew::Sample(unsigned first, Samples* ticks) {
  Settle();
  Fill();
  Shift shifts[2];
  std::atomic<unsigned> ready{0};
  std::vector<std::function<void()>> functions(first + num_workers_, [] {});
  for (unsigned worker = 0; worker < num_workers_; ++worker) {
    functions[first + worker] = [&, worker] {
      shifts[worker].Work(&rig_, worker, &ready, num_workers_);
    };
  }
  RunTogether(functions);
  const unsigned out = Collect();
  Settle();
  Collect();
  if (out == 0 || shifts[0].disturbed || shifts[1].disturbed) {
    ++num_disturbed_;
    return;
  }
  // The busier reading of the two cores is the sample's.
  const Shift& last = shifts[shifts[1].end > shifts[0].end ? 1 : 0];
  const auto nop = [](const Shift& shift) {
    return std::max(shift.before.cycles_per_nop, shift.after.cycles_per_nop);
  };
  const Shift& noisier = shifts[nop(shifts[1]) > nop(shifts[0]) ? 1 : 0];
  const auto took = static_cast<double>(last.end - shifts[0].start);
  for (unsigned worker = 0; worker < num_workers_; ++worker) {
    busy_[worker].push_back(static_cast<double>(shifts[worker].busy) / took);
  }
  ticks->Add(took / out, noisier.before, noisier.after);
}

double Crew::HandedOver() {
  uint64_t handed_over = 0;
  for (const auto& worker : rig_.datapath().WorkerCounters()) {
    handed_over += worker.handed_over;
  }
  return static_cast<double>(handed_over) / static_cast<double>(num_in_);
}

double Crew::Lost() {
  return static_cast<double>(rig_.TotalDrops()) / static_cast<double>(num_in_);
}

}  // namespace

int MeasureScale(const Options& options) {
  const TrafficSpec spec{options.path == "upstream", options.mppe == "128", options.size,
                         options.calls, true};
  Crew two(spec, 2);
  Crew one(spec, 1);
  if (!two.ok() || !one.ok()) {
    return 1;
  }
  Samples both;
  Samples alone;  // on either core by turns: they need not be equally fast
  for (unsigned i = 0; i < kWarmUpSamples + options.samples; ++i) {
    if (i == kWarmUpSamples) {
      both = {};
      alone = {};
    }
    two.Sample(0, &both);
    one.Sample(i % 2, &alone);
  }
  if (both.size() == 0 || alone.size() == 0) {
    std::fprintf(stderr, "bench: every sample was disturbed; nothing is measured\n");
    return 1;
  }
  const double nop = std::min(both.LowestNop(), alone.LowestNop());
  const auto mpps = [&](const Samples& ticks) {
    return static_cast<double>(rte_get_tsc_hz()) / ticks.MedianAlone(nop) / 1e6;
  };
  Row row("dataplane");
  row.Text("path", options.path).Text("mppe", options.mppe).Count("size", options.size);
  row.Count("calls", options.calls).Count("workers", 2).Number("mpps", mpps(both), 3);
  row.Number("gbps", mpps(both) * options.size * 8 / 1000, 3);
  row.Number("mpps_one_worker", mpps(alone), 3);
  row.Number("ratio_one_worker", mpps(both) / mpps(alone), 3);
  row.Number("handed_over", two.HandedOver(), 3).Number("lost", two.Lost(), 3);
  row.Number("busy_first", two.Busy(0), 3).Number("busy_second", two.Busy(1), 3);
  row.Count("samples", both.size()).Count("core_alone", both.CountAlone(nop));
  row.Count("disturbed", two.num_disturbed() + one.num_disturbed());
  row.Print();
  return 0;
}

}  // namespace culvert::bench
