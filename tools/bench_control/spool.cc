#include "tools/bench_control/spool.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "controlplane/accounting/accounting.h"
#include "controlplane/management/call_record.h"
#include "controlplane/shard/random.h"

namespace culvert::bench {
namespace {

namespace v1 = accounting::v1;

constexpr uint32_t kLive = 2000;         // calls that are up at a time
constexpr uint64_t kMaxBehind = 50'000;  // records: then the calls wait, and memory is bounded

class InstantServer final : public accounting::Transport {
 public:
  void Send(const v1::Record& record, uint32_t, std::function<void(bool)> done) override {
    ++(record.kind() == v1::KIND_STOP ? stops_ : others_);
    done(true);
  }
  [[nodiscard]] uint64_t stops() const { return stops_; }
  [[nodiscard]] uint64_t all() const { return stops_ + others_; }

 private:
  std::atomic<uint64_t> stops_{0}, others_{0};
};

v1::Session SessionOf(uint32_t call) {
  v1::Session session;
  session.set_id(FormatCallId(call + 1));
  session.set_user("user" + std::to_string(call % 20'000));
  session.set_method(v1::METHOD_MS_CHAP_2);
  session.set_peer_address(0x64400000 + call);
  session.set_local_address(0x7f000001);
  session.set_client_address(0x0a000100 + call);
  session.set_nas_port(call);
  session.set_call_id(call & 0xffff);
  return session;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int MeasureSpool(const std::string& path, uint32_t calls) {
  InstantServer server;
  auto started = accounting::Accounting::Start(
      {.spool = {.path = path}, .interims = {}, .max_in_flight = 256}, &server, RandomBelow);
  if (!started.ok()) {
    fprintf(stderr, "bench: %s\n", std::string(started.status().message()).c_str());
    return 1;
  }
  accounting::Accounting& accounting = **started;
  const double cpu_s = CpuSeconds();
  const auto begun = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < calls + kLive; ++i) {
    if (i < calls) {
      accounting.OnUp(i + 1, i + 1, SessionOf(i), std::nullopt);
    }
    if (i >= kLive) {
      accounting.OnEnded(i - kLive + 1, {.input_octets = i},
                         accounting::TerminateCause::kUserRequest);
    }
    while (uint64_t{i} * 2 > server.all() + kMaxBehind) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  while (server.stops() < calls) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const double used_s = CpuSeconds() - cpu_s;
  accounting.Stop(std::chrono::seconds(1));
  printf(
      "{\"bench\": \"control\", \"case\": \"spool\", \"calls\": %u, \"records\": %u, \"seconds\": "
      "%.2f, \"records_per_second\": %.0f, \"cpu_percent\": %.1f}\n",
      calls, 2 * calls, seconds, 2 * calls / seconds, used_s / seconds * 100);
  return 0;
}

}  // namespace culvert::bench
