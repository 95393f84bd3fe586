// culvert-bench-control: sets up calls against a running culvert-controlplane and prints one JSON
// object a case. tools/bench control runs it.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>

#include "controlplane/crypto/primitives.h"
#include "tools/bench_control/fleet.h"
#include "tools/bench_control/gauge.h"
#include "tools/bench_control/shards.h"

namespace culvert::bench {
namespace {

constexpr double kTimeoutS = 300;

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Interval is the control plane's use of a stretch of time.
class Interval {
 public:
  explicit Interval(const Gauge& gauge)
      : gauge_(gauge), cpu_us_(gauge.cpu_us()), begun_s_(Seconds()) {}
  [[nodiscard]] double seconds() const { return Seconds() - begun_s_; }
  [[nodiscard]] double cpu_us() const { return static_cast<double>(gauge_.cpu_us() - cpu_us_); }
  [[nodiscard]] double cpu_percent() const { return cpu_us() / seconds() / 1e4; }

 private:
  const Gauge& gauge_;
  const uint64_t cpu_us_;
  const double begun_s_;
};

double Percentile(std::vector<float> values, double part) {
  if (values.empty()) {
    return 0;
  }
  const auto at =
      std::min(values.size() - 1, static_cast<size_t>(part * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

class Run {
 public:
  Run(const Fleet::Options& options, const std::string& socket, int pid)
      : options_(options), gauge_(pid), fleet_(options), plane_(socket, [this] { fleet_.Wake(); }) {
    fleet_.Use(&plane_);
  }

  int All(double idle_s, bool storm) {
    if (!plane_.WaitAttached()) {
      fprintf(stderr, "bench: no control plane came\n");
      return 1;
    }
    const uint64_t rss_before = gauge_.rss();
    Rss("before");
    if (!Dial("setup", rss_before)) {
      return 1;
    }
    if (idle_s > 0) {
      Idle(idle_s, rss_before);
    }
    if (storm) {
      const Interval interval(gauge_);
      fleet_.Drop();
      if (!Dial("storm", rss_before)) {
        return 1;
      }
    }
    Teardown();
    fleet_.Serve(2);
    Rss("after");
    return 0;
  }

 private:
  void Rss(const char* name) {
    printf("{\"bench\": \"control\", \"case\": \"%s\", \"calls\": 0, \"rss_mb\": %.1f}\n", name,
           static_cast<double>(gauge_.rss()) / 1e6);
  }
  bool Dial(const char* name, uint64_t rss_before) {
    const Interval interval(gauge_);
    const uint64_t upserts = plane_.upserts(), program_batches = plane_.program_batches(),
                   frame_batches = plane_.frame_batches();
    const bool all = fleet_.Dial(kTimeoutS);
    const double cpu_us = interval.cpu_us(), cpu_percent = interval.cpu_percent();
    const uint32_t calls = fleet_.num_up();
    if (!all) {
      fprintf(stderr, "bench: %u calls up, %lu refused, %lu failed, %lu lost\n", calls,
              fleet_.failure().refused, fleet_.failure().failed, fleet_.failure().lost);
    }
    if (calls == 0) {
      return false;
    }
    fleet_.Serve(1);  // what the control plane frees after the last one
    printf(
        "{\"bench\": \"control\", \"case\": \"%s\", \"calls\": %u, \"calls_per_connection\": %u, "
        "\"calls_per_second\": %.0f, \"setup_ms_p50\": %.1f, \"setup_ms_p99\": %.1f, "
        "\"setup_ms_max\": %.1f, \"cpu_percent\": %.1f, \"cpu_us_per_call\": %.1f, "
        "\"bytes_per_call\": %.0f, \"refused\": %lu, \"failed\": %lu, \"upserts_per_call\": %.2f, "
        "\"upserts_per_batch\": %.1f, \"calls_per_frame_batch\": %.2f}\n",
        name, calls, options_.calls_per_connection,
        static_cast<double>(calls) / fleet_.dial_seconds(), Percentile(fleet_.setup_ms(), 0.5),
        Percentile(fleet_.setup_ms(), 0.99), Percentile(fleet_.setup_ms(), 1), cpu_percent,
        cpu_us / calls, static_cast<double>(gauge_.rss() - rss_before) / calls,
        fleet_.failure().refused, fleet_.failure().failed + fleet_.failure().lost,
        static_cast<double>(plane_.upserts() - upserts) / calls,
        static_cast<double>(plane_.upserts() - upserts) /
            static_cast<double>(std::max<uint64_t>(1, plane_.program_batches() - program_batches)),
        static_cast<double>(calls) /
            static_cast<double>(std::max<uint64_t>(1, plane_.frame_batches() - frame_batches)));
    fflush(stdout);
    return all;
  }

  void Idle(double seconds, uint64_t rss_before) {
    fleet_.Serve(3);
    const Interval interval(gauge_);
    fleet_.Serve(seconds);
    printf(
        "{\"bench\": \"control\", \"case\": \"idle\", \"calls\": %u, \"calls_per_connection\": %u, "
        "\"cpu_percent\": %.2f, \"bytes_per_call\": %.0f}\n",
        fleet_.num_up(), options_.calls_per_connection, interval.cpu_percent(),
        static_cast<double>(gauge_.rss() - rss_before) / fleet_.num_up());
    fflush(stdout);
  }

  // Teardown ends when the data plane has no call left.
  void Teardown() {
    const uint32_t calls = fleet_.num_up();
    const Interval interval(gauge_);
    fleet_.Stop(kTimeoutS);
    while (plane_.num_calls() != 0 && interval.seconds() < kTimeoutS) {
      fleet_.Serve(0.05);
    }
    printf(
        "{\"bench\": \"control\", \"case\": \"teardown\", \"calls\": %u, "
        "\"calls_per_connection\": %u, \"calls_per_second\": %.0f, \"seconds\": %.2f, "
        "\"cpu_percent\": %.1f, \"cpu_us_per_call\": %.1f}\n",
        calls, options_.calls_per_connection, calls / interval.seconds(), interval.seconds(),
        interval.cpu_percent(), interval.cpu_us() / calls);
    fflush(stdout);
  }

  const Fleet::Options options_;
  const Gauge gauge_;
  Fleet fleet_;
  Plane plane_;
};

}  // namespace
}  // namespace culvert::bench

int main(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) {
    given[argv[i]] = argv[i + 1];
  }
  const auto number = [&](const char* name, uint32_t otherwise) {
    const auto it = given.find(name);
    return it == given.end() ? otherwise : static_cast<uint32_t>(atoi(it->second.c_str()));
  };
  if (given.contains("--shards")) {
    return culvert::bench::MeasureShards(number("--shards", 0));
  }
  if (!given.contains("--socket") || !given.contains("--pid")) {
    fprintf(stderr,
            "usage: %s --socket PATH --pid PID [--port N] [--calls N] [--per-connection N]\n"
            "          [--window N] [--users N] [--addresses N] [--idle SECONDS] [--storm 0|1]\n"
            "       %s --shards CALLS\n",
            argv[0], argv[0]);
    return 2;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const culvert::bench::Fleet::Options options = {
      .port = static_cast<uint16_t>(number("--port", 1723)),
      .num_addresses = number("--addresses", 4),
      .num_calls = number("--calls", 1000),
      .calls_per_connection = number("--per-connection", 1),
      .window = number("--window", 500),
      .num_users = number("--users", 20000)};
  culvert::bench::Run run(options, given["--socket"], static_cast<int>(number("--pid", 0)));
  return run.All(number("--idle", 0), number("--storm", 0) != 0);
}
