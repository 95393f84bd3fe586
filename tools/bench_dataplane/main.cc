// One measurement of the data path; tools/bench runs it. The real loop of one worker between ports
// in memory: packets are made in batches, only the worker's rounds are timed. Prints one JSON
// object.
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "dataplane/rig/eal.h"
#include "tools/bench_dataplane/clock.h"
#include "tools/bench_dataplane/traffic.h"

namespace culvert::bench {
namespace {

constexpr unsigned kBurst = 32;
constexpr unsigned kBatch = 4096;
constexpr unsigned kWarmUpBatches = 8;

struct Options {
  std::string path = "upstream";
  std::string mppe = "none";
  unsigned size = 64;
  unsigned calls = 65535;
  unsigned core = 0;
  unsigned samples = 51;
  bool huge_pages = false;
};

struct Sample {
  double ticks_per_packet;
  double cycles_per_packet;
};

// Discard empties a ring and gives the number of packets that were in it.
unsigned Discard(rte_ring* ring) {
  void* mbufs[kBurst];
  unsigned total = 0;
  while (const unsigned num = rte_ring_dequeue_burst(ring, mbufs, kBurst, nullptr)) {
    rte_pktmbuf_free_bulk(reinterpret_cast<rte_mbuf**>(mbufs), num);
    total += num;
  }
  return total;
}

long Preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

class Bench {
 public:
  Bench(dataplane::Rig* rig, Traffic* traffic) : rig_(rig), traffic_(traffic), batch_(kBatch) {}

  // Run gives a sample, or none with a message when packets were lost.
  bool Run(Sample* sample);
  [[nodiscard]] uint64_t num_acknowledgements() const { return num_acknowledgements_; }
  [[nodiscard]] uint64_t num_disturbed() const { return num_disturbed_; }

 private:
  dataplane::Rig* rig_;
  Traffic* traffic_;
  std::vector<void*> batch_;
  uint64_t num_acknowledgements_ = 0;
  uint64_t num_disturbed_ = 0;
};

bool Bench::Run(Sample* sample) {
  for (void*& mbuf : batch_) {
    mbuf = rte_pktmbuf_alloc(rig_->mbufs());
    traffic_->Fill(static_cast<rte_mbuf*>(mbuf));
  }
  rte_ring* input = rig_->receive_ring(traffic_->input_port(), 0);
  rte_ring* output = rig_->send_ring(traffic_->output_port(), 0);
  rte_ring* acknowledgements = rig_->send_ring(traffic_->input_port(), 0);
  long preemptions = Preemptions();
  const double pace_before = CoreCyclesPerTick();
  uint64_t ticks = 0;
  unsigned timed = 0;
  unsigned sent = 0;
  for (unsigned i = 0; i < kBatch; i += kBurst) {
    rte_ring_enqueue_bulk(input, &batch_[i], kBurst, nullptr);
    const uint64_t start = rte_rdtsc();
    rig_->datapath().RunWorkerOnce(0);
    const uint64_t took = rte_rdtsc() - start;
    // A round during which another thread had the core says nothing about the path.
    if (const long now = Preemptions(); now != preemptions) {
      preemptions = now;
      ++num_disturbed_;
    } else {
      ticks += took;
      timed += kBurst;
    }
    sent += Discard(output);
    num_acknowledgements_ += Discard(acknowledgements);
  }
  const double pace = (pace_before + CoreCyclesPerTick()) / 2;
  sample->ticks_per_packet = static_cast<double>(ticks) / std::max(timed, 1U);
  sample->cycles_per_packet = sample->ticks_per_packet * pace;
  if (sent != kBatch || rig_->TotalDrops() != 0) {
    std::fprintf(stderr, "bench: %u of %u packets came out; nothing is measured\n", sent, kBatch);
    return false;
  }
  return true;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

dataplane::Rig::Options RigOptions(const Options& options) {
  dataplane::Rig::Options rig;
  rig.num_mbufs = 4 * kBatch - 1;
  rig.ring_size = kBatch;
  rig.max_local_addresses = 16;
  rig.max_routes = options.calls + 2 * kNumRoutes;
  return rig;
}

// Measure needs EAL up; it gives the exit status.
int Measure(const Options& options) {
  dataplane::Rig rig(RigOptions(options));
  const TrafficSpec spec{options.path == "upstream", options.mppe == "128", options.size,
                         options.calls};
  Traffic traffic(spec, &rig);
  if (!traffic.ok()) {
    return 1;
  }
  Bench bench(&rig, &traffic);
  std::vector<double> ticks;
  std::vector<double> cycles;
  const unsigned runs = kWarmUpBatches + options.samples;
  for (unsigned i = 0; i < runs; ++i) {
    Sample sample{};
    if (!bench.Run(&sample)) {
      return 1;
    }
    if (i >= kWarmUpBatches) {
      ticks.push_back(sample.ticks_per_packet);
      cycles.push_back(sample.cycles_per_packet);
    }
  }
  std::fprintf(stderr,
               "bench: %.2f acknowledgements a packet; %.2f %% of the rounds disturbed, left out\n",
               static_cast<double>(bench.num_acknowledgements()) / (runs * kBatch),
               100.0 * static_cast<double>(bench.num_disturbed()) / (runs * kBatch / kBurst));
  const double mpps = static_cast<double>(rte_get_tsc_hz()) / Median(ticks) / 1e6;
  std::printf(
      "{\"bench\": \"dataplane\", \"path\": \"%s\", \"mppe\": \"%s\", \"size\": %u, \"calls\": %u, "
      "\"mpps\": %.3f, \"gbps\": %.3f, \"cycles_per_packet\": %.0f}\n",
      options.path.c_str(), options.mppe.c_str(), options.size, options.calls, mpps,
      mpps * options.size * 8 / 1000, Median(cycles));
  return 0;
}

}  // namespace
}  // namespace culvert::bench

int main(int argc, char** argv) {
  culvert::bench::Options options;
  CLI::App app("One measurement of Culvert's data path; see tools/bench");
  app.add_option("--path", options.path)->check(CLI::IsMember({"upstream", "downstream"}));
  app.add_option("--mppe", options.mppe)->check(CLI::IsMember({"none", "128"}));
  app.add_option("--size", options.size, "octets of the inner IP packet")
      ->check(CLI::Range(40, 1456));
  app.add_option("--calls", options.calls)->check(CLI::Range(1U, culvert::bench::kMaxCalls));
  app.add_option("--core", options.core);
  app.add_option("--samples", options.samples)->check(CLI::Range(1, 10000));
  app.add_flag("--huge-pages", options.huge_pages);
  CLI11_PARSE(app, argc, argv);
  culvert::dataplane::TestEalSpec eal;
  eal.memory_mb = 384 + options.calls / 2048;
  eal.cores = {options.core};
  eal.huge_pages = options.huge_pages;
  culvert::dataplane::StartTestEal(eal);
  const int status = culvert::bench::Measure(options);
  culvert::dataplane::StopTestEal();
  return status;
}
