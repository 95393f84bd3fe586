// culvert-bench-control: sets up calls against a running culvert-controlplane and prints one JSON
// object a case. tools/bench control runs it.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "controlplane/crypto/primitives.h"
#include "tools/bench_control/fleet.h"
#include "tools/bench_control/gauge.h"
#include "tools/bench_control/gre_carrier.h"
#include "tools/bench_control/plane.h"
#include "tools/bench_control/shards.h"
#include "tools/bench_control/spool.h"

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

// Load is who sets up calls against whom.
struct Load {
  Fleet::Options fleet;
  std::string socket;            // of the data plane
  bool real_data_plane = false;  // runs there already; else this process stands in for it
  int pid = 0;                   // of the control plane
  int other_pid = 0;             // 0: none; its CPU time is told too
  double idle_s = 0;
  bool storm = false;
};

class Run {
 public:
  explicit Run(const Load& load)
      : load_(load), gauge_(load.pid), other_(load.other_pid), fleet_(load.fleet) {
    if (load.real_data_plane) {
      carrier_ = std::make_unique<GreCarrier>(load.socket);
    } else {
      auto plane = std::make_unique<Plane>(load.socket, [this] { fleet_.Wake(); });
      plane_ = plane.get();
      carrier_ = std::move(plane);
    }
    fleet_.Use(carrier_.get());
  }

  int All() {
    if (plane_ != nullptr && !plane_->WaitAttached()) {
      fprintf(stderr, "bench: no control plane came\n");
      return 1;
    }
    rss_before_ = gauge_.rss();
    Begin("before", 0);
    End(", \"rss_mb\": %.1f", static_cast<double>(gauge_.rss()) / 1e6);
    if (!Dial("setup")) {
      return 1;
    }
    if (load_.idle_s > 0) {
      Idle();
    }
    if (load_.storm) {
      fleet_.Drop();
      if (!Dial("storm")) {
        return 1;
      }
    }
    Teardown();
    fleet_.Serve(2);
    Begin("after", 0);
    End(", \"rss_mb\": %.1f", static_cast<double>(gauge_.rss()) / 1e6);
    return 0;
  }

 private:
  // A row is Begin(), any number of printf() and End(); the latter's `more` is one.
  void Begin(const char* name, uint32_t calls) const {
    printf(
        "{\"bench\": \"control\", \"case\": \"%s\", \"data_plane\": \"%s\", \"calls\": %u, "
        "\"calls_per_connection\": %u",
        name, plane_ == nullptr ? "real" : "stand-in", calls, load_.fleet.calls_per_connection);
  }
  template <typename... Values>
  static void End(const char* more, Values... values) {
    printf(more, values...);
    printf("}\n");
    fflush(stdout);
  }
  void PrintCpu(const Interval& own, const Interval& other, uint32_t calls) const {
    printf(", \"cpu_percent\": %.1f, \"cpu_us_per_call\": %.1f", own.cpu_percent(),
           own.cpu_us() / calls);
    if (load_.other_pid != 0) {
      printf(", \"other_cpu_us_per_call\": %.1f", other.cpu_us() / calls);
    }
  }

  bool Dial(const char* name) {
    const Interval interval(gauge_), other(other_);
    const bool all = fleet_.Dial(kTimeoutS);
    const uint32_t calls = fleet_.num_up();
    const Fleet::Failure& failure = fleet_.failure();
    if (!all) {
      fprintf(stderr, "bench: %u calls up, %lu refused, %lu failed, %lu lost\n", calls,
              failure.refused, failure.failed, failure.lost);
    }
    if (calls == 0) {
      return false;
    }
    Begin(name, calls);
    PrintCpu(interval, other, calls);
    fleet_.Serve(1);  // what the control plane frees after the last one
    End(", \"calls_per_second\": %.0f, \"setup_ms_p50\": %.1f, \"setup_ms_p99\": %.1f, "
        "\"setup_ms_max\": %.1f, \"bytes_per_call\": %.0f, \"refused\": %lu, \"failed\": %lu",
        static_cast<double>(calls) / fleet_.dial_seconds(), Percentile(fleet_.setup_ms(), 0.5),
        Percentile(fleet_.setup_ms(), 0.99), Percentile(fleet_.setup_ms(), 1), BytesPerCall(),
        failure.refused, failure.failed + failure.lost);
    return all;
  }
  [[nodiscard]] double BytesPerCall() const {
    return (static_cast<double>(gauge_.rss()) - static_cast<double>(rss_before_)) / fleet_.num_up();
  }

  void Idle() {
    fleet_.Serve(3);
    const Interval interval(gauge_);
    fleet_.Serve(load_.idle_s);
    Begin("idle", fleet_.num_up());
    End(", \"cpu_percent\": %.2f, \"bytes_per_call\": %.0f", interval.cpu_percent(),
        BytesPerCall());
  }

  // Teardown ends when the data plane has no call left.
  void Teardown() {
    const uint32_t calls = fleet_.num_up();
    const Interval interval(gauge_), other(other_);
    fleet_.Stop(kTimeoutS);
    while (carrier_->num_calls() != 0 && interval.seconds() < kTimeoutS) {
      fleet_.Serve(0.05);
    }
    const double seconds = interval.seconds();
    Begin("teardown", calls);
    PrintCpu(interval, other, calls);
    End(", \"calls_per_second\": %.0f, \"seconds\": %.2f", calls / seconds, seconds);
  }

  const Load load_;
  const Gauge gauge_, other_;
  Fleet fleet_;
  std::unique_ptr<Carrier> carrier_;
  Plane* plane_ = nullptr;  // null: the data plane is real
  uint64_t rss_before_ = 0;
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
  if (given.contains("--records")) {
    return culvert::bench::MeasureSpool(given["--spool"], number("--records", 0));
  }
  if (!given.contains("--socket") || !given.contains("--pid")) {
    fprintf(stderr,
            "usage: %s --socket PATH --pid PID [--port N] [--calls N] [--per-connection N]\n"
            "          [--window N] [--users N] [--addresses N] [--idle SECONDS] [--storm 0|1]\n"
            "          [--gre 0|1 --target ADDRESS] [--other-pid PID]\n"
            "       %s --shards CALLS\n"
            "       %s --records N --spool PATH\n",
            argv[0], argv[0], argv[0]);
    return 2;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const std::string target = given.contains("--target") ? given["--target"] : "127.0.0.1";
  culvert::bench::Run run({.fleet = {.first_address = ntohl(inet_addr(target.c_str())),
                                     .num_addresses = number("--addresses", 4),
                                     .port = static_cast<uint16_t>(number("--port", 1723)),
                                     .num_calls = number("--calls", 1000),
                                     .calls_per_connection = number("--per-connection", 1),
                                     .window = number("--window", 500),
                                     .num_users = number("--users", 20000)},
                           .socket = given["--socket"],
                           .real_data_plane = number("--gre", 0) != 0,
                           .pid = static_cast<int>(number("--pid", 0)),
                           .other_pid = static_cast<int>(number("--other-pid", 0)),
                           .idle_s = static_cast<double>(number("--idle", 0)),
                           .storm = number("--storm", 0) != 0});
  return run.All();
}
