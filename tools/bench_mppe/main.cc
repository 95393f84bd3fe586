// One measurement of MPPE alone; tools/bench mppe runs it. The engine, OpenSSL and plain C take
// turns at the same packets, and must come to the same octets. Prints one JSON object.
#include <sched.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "tools/bench_clock/clock.h"
#include "tools/bench_mppe/subject.h"

namespace culvert::bench {
namespace {

constexpr unsigned kWarmUps = 5;
constexpr unsigned kMostRounds = 10;  // for each sample asked for

struct Options {
  Spec spec;
  std::string size = "64";
  unsigned core = 0;
  unsigned samples = 101;
  bool portable = false;
};

// Timing: ticks of the time stamp counter and core cycles per packet.
struct Timing {
  Samples ticks;
  Samples cycles;
};

long Preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// Measure adds no sample when another thread had the core meanwhile.
void Measure(Subject* subject, CoreReading* before, Timing* timing) {
  const long preemptions = Preemptions();
  const uint64_t start = __rdtsc();
  subject->Run();
  const double ticks = static_cast<double>(__rdtsc() - start) / (kBurst * kBursts);
  const bool disturbed = Preemptions() != preemptions;
  const CoreReading after = ReadCore();
  if (!disturbed) {
    timing->ticks.Add(ticks, *before, after);
    timing->cycles.Add(ticks * (before->cycles_per_tick + after.cycles_per_tick) / 2, *before,
                       after);
  }
  *before = after;
}

class Clock {
 public:
  [[nodiscard]] double TicksPerSecond() const {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    return static_cast<double>(__rdtsc() - start_tsc_) / took.count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  uint64_t start_tsc_ = __rdtsc();
};

void Print(const Options& options, const Workload& workload, const std::array<Timing, 3>& timings,
           double ticks_per_second) {
  const auto& [engine, openssl, plain_c] = timings;
  double nop = 1;
  for (const Timing& timing : timings) {
    nop = std::min(nop, timing.ticks.LowestNop());
  }
  const double cycles = engine.cycles.MedianAlone(nop);
  const size_t alone = engine.cycles.CountAlone(nop);
  const double ratio_openssl = openssl.cycles.MedianAlone(nop) / cycles;
  const double ratio_plain_c = plain_c.cycles.MedianAlone(nop) / cycles;
  std::fprintf(stderr, "bench: core alone in %zu of %zu samples\n", alone, engine.cycles.size());
  if (alone < Samples::kFewest) {
    std::fprintf(stderr, "bench: too few; of all samples: ratio_openssl %.2f, ratio_plain_c %.2f\n",
                 openssl.cycles.MedianAll() / engine.cycles.MedianAll(),
                 plain_c.cycles.MedianAll() / engine.cycles.MedianAll());
  }
  const Spec& spec = options.spec;
  const double bits_per_tick = workload.octets_per_packet * 8 / engine.ticks.MedianAlone(nop);
  std::printf(
      "{\"bench\": \"mppe\", \"mode\": \"%s %s\", \"bits\": %u, \"size\": %s, \"calls\": %u, "
      "\"cycles_per_packet\": %.0f, \"gbps\": %.3f, \"ratio_openssl\": %.2f, "
      "\"ratio_plain_c\": %.2f, \"samples\": %zu, \"core_alone\": %zu}\n",
      spec.stateful ? "stateful" : "stateless", spec.encrypt ? "encrypt" : "decrypt", spec.bits,
      spec.size == 0 ? "\"imix\"" : options.size.c_str(), spec.calls, cycles,
      bits_per_tick * ticks_per_second / 1e9, ratio_openssl, ratio_plain_c, engine.cycles.size(),
      alone);
}

int Run(const Options& options) {
  const Workload workload(options.spec);
  const std::array<std::unique_ptr<Subject>, 3> subjects = {
      MakeEngine(workload, options.portable), MakeOpenssl(workload), MakePlainC(workload)};
  std::array<Timing, 3> timings;
  const Clock clock;
  for (unsigned i = 0; i < kWarmUps; ++i) {
    for (const auto& subject : subjects) {
      subject->Run();
    }
  }
  CoreReading reading = ReadCore();
  const auto enough = [&](const Timing& timing) { return timing.ticks.size() >= options.samples; };
  const unsigned most = kMostRounds * options.samples;
  for (unsigned i = 0; i < most && !std::all_of(timings.begin(), timings.end(), enough); ++i) {
    for (size_t k = 0; k < subjects.size(); ++k) {
      Measure(subjects[k].get(), &reading, &timings[k]);
    }
  }
  if (subjects[0]->texts() != subjects[1]->texts() ||
      subjects[0]->texts() != subjects[2]->texts()) {
    std::fprintf(stderr, "bench: the results differ; nothing is measured\n");
    return 1;
  }
  if (!std::all_of(timings.begin(), timings.end(), enough)) {
    std::fprintf(stderr, "bench: other threads had the core all the time; nothing is measured\n");
    return 1;
  }
  Print(options, workload, timings, clock.TicksPerSecond());
  return 0;
}

bool Pin(unsigned core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  return sched_setaffinity(0, sizeof(cores), &cores) == 0;
}

}  // namespace
}  // namespace culvert::bench

int main(int argc, char** argv) {
  culvert::bench::Options options;
  culvert::bench::Spec& spec = options.spec;
  CLI::App app("One measurement of Culvert's MPPE; see tools/bench");
  app.add_flag("--stateful", spec.stateful);
  app.add_flag("--encrypt", spec.encrypt);
  app.add_flag("--portable", options.portable, "the engine's form without assembly");
  app.add_option("--size", options.size, "octets of the inner IP packet, or imix");
  app.add_option("--bits", spec.bits)->check(CLI::IsMember({40, 56, 128}));
  app.add_option("--calls", spec.calls)->check(CLI::Range(1, 1000000));
  app.add_option("--core", options.core);
  app.add_option("--samples", options.samples)->check(CLI::Range(1, 10000));
  CLI11_PARSE(app, argc, argv);
  spec.size = options.size == "imix" ? 0 : static_cast<unsigned>(std::stoul(options.size));
  if (!culvert::bench::Pin(options.core)) {
    std::fprintf(stderr, "bench: there is no core %u\n", options.core);
    return 1;
  }
  return culvert::bench::Run(options);
}
