#include "tools/bench_control/shards.h"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "controlplane/aaa/admission.h"
#include "controlplane/aaa/local_users.h"
#include "controlplane/aaa/pools/address_pools.h"
#include "controlplane/client_role/control_client.h"
#include "controlplane/client_role/ppp_client.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/metrics/metrics.h"
#include "controlplane/pptp/call_id_pool.h"
#include "controlplane/pptp/control_connection.h"
#include "controlplane/shard/alarm.h"
#include "controlplane/shard/call/call_report.h"
#include "controlplane/shard/random.h"

namespace culvert::bench {
namespace {

constexpr uint32_t kNumUsers = 20'000;
constexpr uint32_t kLocal = 0x7f000001;
constexpr uint32_t kFirstPeer = 0x64400000;  // each call has its own
constexpr uint32_t kTurns = 5;
constexpr uint32_t kLive = 1000;  // calls of a shard that are up at a time

std::string NameOf(uint32_t user) { return "user" + std::to_string(user); }

Secret Hash() {
  constexpr std::string_view kPassword = "secret";
  return *crypto::NtPasswordHash(
      {reinterpret_cast<const uint8_t*>(kPassword.data()), kPassword.size()});
}

Users MakeUsers() {
  Users users;
  for (uint32_t i = 0; i < kNumUsers; ++i) {
    users.Insert(NameOf(i), {.password = {}, .nt_hash = Hash()});
  }
  return users;
}

// Shared is what all shards use.
struct Shared {
  CallDirectory directory;
  Metrics metrics{"bench", &directory};
  AddressPools pools{
      {{.name = "default", .ranges = {{.first = 0x0a000100, .last = 0x0a0fffff}}}}, 0, RandomBelow};
  LocalUsers users{std::make_shared<const Users>(MakeUsers())};
  Admission admission{{.backend = &users, .pools = &pools, .clock = SteadyMs}, {}};
  Services services;
  std::shared_ptr<pptp::ControlSettings> control = std::make_shared<pptp::ControlSettings>();
  std::shared_ptr<ppp::PppSettings> ppp = std::make_shared<ppp::PppSettings>();
  client_role::ControlClientSettings client_control{.host_name = "pc", .vendor = "bench"};
  ppp::PppSettings client_ppp;

  Shared() {
    ppp->gateway_address = 0x0a000001;
    ppp->mppe = ppp::MppePolicy::kRequire;
    ppp->methods = {AuthMethod::kMsChapV2};
    services.directory = &directory;
    services.metrics = &metrics;
  }
};

// OneCall is a call with its client and its control connection.
class OneCall final : public pptp::ControlGate {
 public:
  OneCall(Shared* shared, pptp::CallIdPool* ids, pptp::ControlCounters* control_counters,
          ppp::PppCounters* ppp_counters, const client_role::PppClient::Account* account,
          uint32_t peer_address)
      : shared_(shared),
        peer_address_(peer_address),
        ids_(ids),
        control_(shared->control, this, control_counters, 1000, SteadyMs()),
        dialler_(&shared->client_control),
        ppp_(shared->ppp, FillRandom, ppp_counters, SteadyMs()),
        client_(&shared->client_ppp, account, random_, ppp_counters) {}

  // Up: false: the call did not come up.
  bool Up() {
    dialler_.OnConnected(now_ms_);
    Exchange();
    ppp_.Start(now_ms_);
    client_.Start(now_ms_);
    for (int i = 0; i < 20 && !up_; ++i) {
      for (const std::vector<uint8_t>& frame : client_.TakeFrames()) {
        ppp_.OnFrame(frame, now_ms_);
      }
      TakePpp();
    }
    return up_ && client_.up();
  }
  void Down() {
    dialler_.Stop(pptp::StopReason::kNone, now_ms_);
    Exchange();
    shared_->admission.Release(lease_);
    ids_->Release(call_id_, now_ms_);
    if (report_ != nullptr) {
      report_->OnEnded(EndCause::kClientHangUp, "bench", {});
    }
  }

  pptp::StartVerdict JudgeStart() override { return pptp::StartVerdict::kAccept; }
  tl::expected<uint16_t, pptp::Refusal> AllocateCallId() override {
    return ids_->Allocate(now_ms_);
  }

 private:
  void Exchange() {
    for (int i = 0; i < 4; ++i) {
      while (!dialler_.PendingOutput().empty()) {
        control_.OnOctets(dialler_.PendingOutput(), now_ms_);
        dialler_.OnWritten(dialler_.PendingOutput().size());
      }
      for (const pptp::Effect& effect : control_.TakeEffects()) {
        if (const auto* requested = std::get_if<pptp::CallRequested>(&effect)) {
          Begin(*requested);
        }
      }
      while (!control_.PendingOutput().empty()) {
        dialler_.OnOctets(control_.PendingOutput(), now_ms_);
        control_.OnWritten(control_.PendingOutput().size());
      }
      for (const client_role::ControlEffect& effect : dialler_.TakeEffects()) {
        if (std::holds_alternative<client_role::Established>(effect)) {
          dialler_.Dial(1, now_ms_);
        }
      }
    }
  }
  void Begin(const pptp::CallRequested& requested) {
    call_id_ = requested.call_id;
    report_ = std::make_unique<CallReport>(&shared_->services,
                                           CallIdentity{.peer_address = peer_address_,
                                                        .local_address = kLocal,
                                                        .call_id = requested.call_id,
                                                        .peer_call_id = requested.peer_call_id});
    report_->OnStarted(uint64_t{report_->id()} << 16 | call_id_);
    control_.AcceptCall(requested.call_id, now_ms_);
  }
  void TakePpp() {
    for (ppp::Effect& effect : ppp_.TakeEffects()) {
      std::visit([this](auto& typed) { On(typed); }, effect);
    }
  }
  void On(ppp::SendFrame& effect) { client_.OnFrame(effect.data, now_ms_); }
  void On(ppp::Authenticate& effect) {
    shared_->admission.Authenticate(std::move(effect.request), [this](AuthResult result) {
      lease_ = result.lease;
      report_->OnAuthResult(AuthMethod::kMsChapV2, result);
      ppp_.OnAuthResult(std::move(result), now_ms_);
    });
    TakePpp();
  }
  void On(ppp::Authenticated& effect) { report_->OnAuthenticated(effect.method, effect.user); }
  void On(ppp::Up& effect) {
    report_->OnUp(effect.client_address, effect.mppe_bits);
    up_ = true;
  }
  template <typename T>
  void On(T&) {}

  Shared* const shared_;
  const uint32_t peer_address_;
  pptp::CallIdPool* const ids_;
  const ppp::Random random_ = FillRandom;
  uint64_t now_ms_ = SteadyMs();
  pptp::ControlConnection control_;
  client_role::ControlClient dialler_;
  ppp::PppCall ppp_;
  client_role::PppClient client_;
  std::unique_ptr<CallReport> report_;
  Lease lease_;
  uint16_t call_id_ = 0;
  bool up_ = false;
};

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Outcome {
  double cpu_s = 0;
  uint32_t failed = 0;
};

Outcome RunShard(Shared* shared, uint32_t index, uint32_t num_shards, uint32_t calls,
                 const std::vector<client_role::PppClient::Account>& accounts) {
  pptp::CallIdPool ids(index, num_shards, 0, RandomBelow);
  pptp::ControlCounters control_counters;
  ppp::PppCounters ppp_counters;
  std::vector<std::unique_ptr<OneCall>> live(kLive);
  Outcome outcome;
  const double begun_s = ThreadSeconds();
  for (uint32_t i = 0; i < calls; ++i) {
    std::unique_ptr<OneCall>& place = live[i % kLive];
    if (place != nullptr) {
      place->Down();
    }
    place = std::make_unique<OneCall>(shared, &ids, &control_counters, &ppp_counters,
                                      &accounts[(i * num_shards + index) % accounts.size()],
                                      kFirstPeer + i * num_shards + index);
    outcome.failed += place->Up() ? 0 : 1;
  }
  outcome.cpu_s = ThreadSeconds() - begun_s;
  return outcome;
}

// Sample is one turn of so many shards.
struct Sample {
  double calls_per_s = 0;
  double cpu_us_per_call = 0;
  uint32_t failed = 0;
};

Sample Measure(Shared* shared, uint32_t num_shards, uint32_t calls,
               const std::vector<client_role::PppClient::Account>& accounts) {
  std::vector<Outcome> outcomes(num_shards);
  std::vector<std::thread> threads;
  const auto begun = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < num_shards; ++i) {
    threads.emplace_back(
        [&, i] { outcomes[i] = RunShard(shared, i, num_shards, calls, accounts); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  Sample sample;
  for (const Outcome& outcome : outcomes) {
    sample.cpu_us_per_call += outcome.cpu_s * 1e6 / (calls * num_shards);
    sample.failed += outcome.failed;
  }
  sample.calls_per_s = calls * num_shards / wall_s;
  return sample;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

int MeasureShards(uint32_t calls) {
  spdlog::set_level(spdlog::level::off);  // lines are written by the process, not by shards
  Shared shared;
  std::vector<client_role::PppClient::Account> accounts;
  for (uint32_t i = 0; i < kNumUsers; ++i) {
    accounts.push_back({.user = NameOf(i), .nt_hash = Hash()});
  }
  // One and two take turns: what else the machine does meets both.
  std::array<std::vector<double>, 2> rates, costs;
  std::array<uint32_t, 2> failed{};
  for (uint32_t turn = 0; turn < kTurns; ++turn) {
    for (size_t i = 0; i < 2; ++i) {
      const Sample sample = Measure(&shared, static_cast<uint32_t>(i + 1), calls, accounts);
      rates[i].push_back(sample.calls_per_s);
      costs[i].push_back(sample.cpu_us_per_call);
      failed[i] += sample.failed;
    }
  }
  for (size_t i = 0; i < 2; ++i) {
    const auto num_shards = static_cast<double>(i + 1);
    printf(
        "{\"bench\": \"control\", \"case\": \"shards-%zu\", \"calls\": %zu, "
        "\"calls_per_second\": %.0f, \"cpu_us_per_call\": %.2f, \"failed\": %u, "
        "\"times_one_shard\": %.2f, \"times_one_shard_by_clock\": %.2f}\n",
        i + 1, calls * (i + 1) * kTurns, Median(rates[i]), Median(costs[i]), failed[i],
        num_shards * Median(costs[0]) / Median(costs[i]), Median(rates[i]) / Median(rates[0]));
  }
  return 0;
}

}  // namespace culvert::bench
