// What tools/bench runs: measurements of the data path between ports in memory.
#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>

#include "dataplane/rig/eal.h"
#include "tools/bench_dataplane/modes.h"
#include "tools/bench_dataplane/traffic.h"

int main(int argc, char** argv) {
  using culvert::bench::Options;
  const std::map<std::string, std::function<int(const Options&)>> modes = {
      {"path", culvert::bench::MeasurePath},       {"scale", culvert::bench::MeasureScale},
      {"latency", culvert::bench::MeasureLatency}, {"attack", culvert::bench::MeasureAttack},
      {"memory", culvert::bench::MeasureMemory},   {"sweep", culvert::bench::MeasureSweep},
  };
  Options options;
  std::string mode;
  CLI::App app("Measurements of Culvert's data path; see tools/bench");
  app.add_option("mode", mode)->required()->check(CLI::IsMember(modes));
  app.add_option("--path", options.path)->check(CLI::IsMember({"upstream", "downstream"}));
  app.add_option("--mppe", options.mppe)->check(CLI::IsMember({"none", "128"}));
  app.add_option("--size", options.size, "octets of the inner IP packet")
      ->check(CLI::Range(40, 1456));
  app.add_option("--calls", options.calls)->check(CLI::Range(1U, culvert::bench::kMaxCalls));
  app.add_option("--core", options.core);
  app.add_option("--other-core", options.other_core);
  app.add_option("--samples", options.samples)->check(CLI::Range(1, 10000));
  app.add_option("--load", options.load)->check(CLI::Range(0.01, 1.0));
  app.add_option("--attack", options.attack);
  app.add_flag("--huge-pages", options.huge_pages);
  unsigned memory_mb = 1024;
  app.add_option("--memory", memory_mb, "megabytes for EAL");
  CLI11_PARSE(app, argc, argv);
  culvert::dataplane::TestEalSpec eal;
  eal.memory_mb = memory_mb;
  // lcore 0 is this thread; 1 and 2 are workers.
  eal.cores = {options.core, options.core, options.other_core};
  eal.huge_pages = options.huge_pages;
  culvert::dataplane::StartTestEal(eal);
  const int status = modes.at(mode)(options);
  culvert::dataplane::StopTestEal();
  return status;
}
