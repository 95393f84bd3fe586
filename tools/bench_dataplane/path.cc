// tools/bench dataplane: the whole path of one worker. The same with 1000 calls, the empty path and
// the bare engine take turns with it in the same process: the ratios are to them.
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "dataplane/worker/ack_queue.h"
#include "tools/bench_dataplane/bare_mppe.h"
#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/one_core.h"
#include "tools/bench_dataplane/row.h"
#include "tools/bench_dataplane/traffic.h"

namespace culvert::bench {
namespace {

constexpr unsigned kFewCalls = 1000;
constexpr unsigned kBatchesPerSample = 4;
// Longer than an acknowledgement's delay: from then on as many fall due as are put off.
constexpr double kWarmUpSeconds = 0.3;
constexpr double kAckDelaySeconds = dataplane::CallSpec{}.ack_delay_ms / 1000.0;

// Quantity: one figure in ticks a packet, over all samples.
struct Quantity {
  Samples ticks;
  Samples cycles;

  void Add(double value, const CoreReading& before, const CoreReading& after) {
    const double pace = (before.cycles_per_tick + after.cycles_per_tick) / 2;
    ticks.Add(value, before, after);
    cycles.Add(value * pace, before, after);
  }
};

// Lane: one data path with its calls.
class Lane {
 public:
  explicit Lane(const TrafficSpec& spec)
      : rig_(Traffic::RigOptions(spec)),
        traffic_(spec, &rig_),
        core_(&rig_, traffic_.input_port(), traffic_.output_port()) {}

  [[nodiscard]] bool ok() const { return traffic_.ok(); }
  // Sample adds one; false: packets were lost.
  bool Sample(Quantity* quantity);
  // SampleEmpty adds one of the path without anything in it.
  void SampleEmpty(Quantity* quantity);
  // SampleBare adds one of the engine alone, on texts that lie where packets do.
  void SampleBare(BareMppe* bare, Quantity* quantity);
  // AckCycles: of an acknowledgement that leaves alone because its time has come; 0: none did.
  [[nodiscard]] double AckCycles() const { return Median(ack_cycles_); }
  [[nodiscard]] unsigned num_disturbed() const { return num_disturbed_; }

 private:
  dataplane::Rig rig_;
  Traffic traffic_;
  OneCore core_;
  std::vector<double> ack_cycles_;
  uint64_t num_in_ = 0;
  unsigned num_disturbed_ = 0;
};

bool Lane::Sample(Quantity* quantity) {
  Batch batch;
  uint64_t ticks = 0;
  unsigned timed = 0;
  CoreReading before{};
  // The first batch brings back to the caches what another lane has pushed out.
  for (unsigned i = 0; i < 1 + kBatchesPerSample; ++i) {
    Allocate(rig_, &batch);
    traffic_.Fill(batch);
    // Making packets takes its time, in which more acknowledgements fall due than while packets
    // pass: they are measured for themselves.
    uint64_t num_acks = 0;
    const uint64_t ack_ticks = core_.Settle(&num_acks);
    before = i == 1 ? ReadCore() : before;
    if (i == 1 && num_acks > 0) {
      ack_cycles_.push_back(before.cycles_per_tick * static_cast<double>(ack_ticks) /
                            static_cast<double>(num_acks));
    }
    const uint64_t took = core_.Drain(batch);
    num_in_ += kBatch;
    if (i > 0 && !core_.disturbed()) {
      ticks += took;
      timed += kBatch;
    }
    num_disturbed_ += core_.disturbed() ? 1 : 0;
  }
  if (timed > 0) {
    quantity->Add(static_cast<double>(ticks) / timed, before, ReadCore());
  }
  if (core_.num_out() != num_in_ || rig_.TotalDrops() != 0) {
    std::fprintf(stderr, "bench: %lu of %lu packets came out; nothing is measured\n",
                 core_.num_out(), num_in_);
    SayDrops(&rig_);
    return false;
  }
  return true;
}

void Lane::SampleEmpty(Quantity* quantity) {
  Batch batch;
  const CoreReading before = ReadCore();
  Allocate(rig_, &batch);
  traffic_.Fill(
      batch);  // as warm as a real sample's; not sent on, so the clients must not count it
  const uint64_t took = core_.DrainEmpty(batch);
  quantity->Add(static_cast<double>(took) / kBatch, before, ReadCore());
}

void Lane::SampleBare(BareMppe* bare, Quantity* quantity) {
  Batch batch;
  Allocate(rig_, &batch);
  traffic_.Fill(batch);  // as warm as a real sample's
  const CoreReading before = ReadCore();
  const long preemptions = Preemptions();
  const double ticks = bare->RunOver(batch);
  if (Preemptions() == preemptions) {
    quantity->Add(ticks, before, ReadCore());
  }
  rte_pktmbuf_free_bulk(batch.data(), kBatch);
}

struct Result {
  Quantity path;
  Quantity few_calls;
  Quantity empty;
  Quantity bare;
  Quantity bare_same_buffers;
};

// AcksPerPacket: how many acknowledgements leave alone at `mpps`, when packets come in random order
// of the calls. A call's first packet waits the delay, and the others of that time with it.
double AcksPerPacket(const Options& options, double mpps) {
  return options.path == "upstream" ? 1 / (1 + kAckDelaySeconds * mpps * 1e6 / options.calls) : 0;
}

// Full adds the acknowledgements, of which there are the fewer the faster packets pass.
struct Full {
  double cycles = 0;
  double mpps = 0;
  double acks_per_packet = 0;
};
Full WithAcks(const Options& options, double cycles, double ack_cycles, double cycles_per_us) {
  Full full{cycles, cycles_per_us / cycles, 0};
  for (unsigned i = 0; i < 20; ++i) {  // converges: each step moves the rate less
    full.acks_per_packet = AcksPerPacket(options, full.mpps);
    full.cycles = cycles + ack_cycles * full.acks_per_packet;
    full.mpps = cycles_per_us / full.cycles;
  }
  return full;
}

// Figures of one lane.
Full FiguresOf(const Options& options, const Quantity& quantity, const Lane& lane, double nop) {
  const double cycles = quantity.cycles.MedianAlone(nop);
  const double cycles_per_tick = cycles / quantity.ticks.MedianAlone(nop);
  return WithAcks(options, cycles, lane.AckCycles(),
                  cycles_per_tick * static_cast<double>(rte_get_tsc_hz()) / 1e6);
}

void RowRatio(const char* name, const Quantity& bare, double cycles, double nop, Row* row) {
  if (bare.cycles.size() > 0) {
    row->Number(name, bare.cycles.MedianAlone(nop) / cycles, 3);
  } else {
    row->None(name);
  }
}

void Print(const Options& options, const Result& result, const Lane& lane, const Lane* few_calls) {
  const double nop = std::min(result.path.ticks.LowestNop(), result.empty.ticks.LowestNop());
  const Full full = FiguresOf(options, result.path, lane, nop);
  Row row("dataplane");
  row.Text("path", options.path).Text("mppe", options.mppe).Count("size", options.size);
  row.Count("calls", options.calls).Number("mpps", full.mpps, 3);
  row.Number("gbps", full.mpps * options.size * 8 / 1000, 3);
  row.Number("cycles_per_packet", full.cycles, 0);
  row.Number("empty_cycles", result.empty.cycles.MedianAlone(nop), 1);
  row.Number("ack_cycles", lane.AckCycles(), 0).Number("acks_per_packet", full.acks_per_packet, 3);
  if (few_calls != nullptr) {
    Options few = options;
    few.calls = kFewCalls;
    row.Number("ratio_1000_calls",
               full.cycles / FiguresOf(few, result.few_calls, *few_calls, nop).cycles, 3);
  } else {
    row.None("ratio_1000_calls");
  }
  RowRatio("of_bare_mppe", result.bare, full.cycles, nop, &row);
  RowRatio("of_bare_same_buffers", result.bare_same_buffers, full.cycles, nop, &row);
  row.Count("samples", result.path.ticks.size());
  row.Count("core_alone", result.path.ticks.CountAlone(nop));
  row.Print();
  if (lane.num_disturbed() > 0) {
    std::fprintf(stderr, "bench: %u batches disturbed by another thread, left out\n",
                 lane.num_disturbed());
  }
}

}  // namespace

int MeasurePath(const Options& options) {
  const TrafficSpec spec{options.path == "upstream", options.mppe == "128", options.size,
                         options.calls, false};
  TrafficSpec few_spec = spec;
  few_spec.num_calls = kFewCalls;
  Lane lane(spec);
  std::unique_ptr<Lane> few_calls;
  if (options.calls > kFewCalls) {
    few_calls = std::make_unique<Lane>(few_spec);
  }
  Lane empty({false, false, options.size, 1, false});
  BareMppe bare(options.size);
  if (!lane.ok() || !empty.ok() || (few_calls != nullptr && !few_calls->ok())) {
    return 1;
  }
  Result result;
  const auto warm_up =
      static_cast<uint64_t>(kWarmUpSeconds * static_cast<double>(rte_get_tsc_hz()));
  const uint64_t start = rte_rdtsc();
  bool is_warm = false;
  for (unsigned i = 0; i < options.samples; i += is_warm ? 1 : 0) {
    if (!is_warm && rte_rdtsc() - start > warm_up) {
      is_warm = true;
      result = {};
    }
    if (!lane.Sample(&result.path) ||
        (few_calls != nullptr && !few_calls->Sample(&result.few_calls))) {
      return 1;
    }
    empty.SampleEmpty(&result.empty);
    if (spec.mppe) {
      empty.SampleBare(&bare, &result.bare_same_buffers);
      const CoreReading before = ReadCore();
      const long preemptions = Preemptions();
      const double ticks = bare.Run();
      if (Preemptions() == preemptions) {
        result.bare.Add(ticks, before, ReadCore());
      }
    }
  }
  if (result.path.ticks.size() == 0) {
    std::fprintf(stderr, "bench: every sample was disturbed; nothing is measured\n");
    return 1;
  }
  Print(options, result, lane, few_calls.get());
  return 0;
}

}  // namespace culvert::bench
