#include "tools/load/fleet/fleet.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "tools/load/fleet/connection.h"
#include "tools/load/ports/port_tunnels.h"
#include "tools/load/tunnel/gre_tunnels.h"

namespace culvert::load {

namespace {

constexpr uint64_t kUsPerMs = 1000;
constexpr uint64_t kMaxSources = 1 << 20;

// BindsTo gives errno of binding a socket to an address that is to be ours, or 0.
int BindsTo(uint32_t address) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = wire::Be32::FromHost(address).Raw();
  const int error = bind(fd, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0 ? 0 : errno;
  close(fd);
  return error;
}

// RouteTo gives the address that the kernel sends from, 0: there is no way.
uint32_t RouteTo(uint32_t server) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in remote{}, local{};
  remote.sin_family = AF_INET;
  remote.sin_port = wire::Be16::FromHost(1723).Raw();
  remote.sin_addr.s_addr = wire::Be32::FromHost(server).Raw();
  socklen_t len = sizeof local;
  const bool found = connect(fd, reinterpret_cast<sockaddr*>(&remote), sizeof remote) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&local), &len) == 0;
  close(fd);
  return found ? wire::Be32::FromRaw(local.sin_addr.s_addr).ToHost() : 0;
}

std::unique_ptr<Tunnels> MakeTunnels(Tunnels::Owner* owner, const Plan* plan) {
  if (plan->device().empty()) {
    return std::make_unique<GreTunnels>(owner, /*takes_clear=*/plan->mppe() == 0);
  }
  return std::make_unique<PortTunnels>(owner, plan);
}

}  // namespace

uint64_t Fleet::NowUs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

Fleet::Fleet(const Plan* plan, const std::vector<client_role::Account>* accounts, Tally* tally)
    : plan_(plan),
      accounts_(accounts),
      tally_(tally),
      wishes_(WishesOf(*plan)),
      control_settings_{.host_name = "culvert-load", .vendor = "Culvert"},
      random_([](std::span<uint8_t> out) { RAND_bytes(out.data(), static_cast<int>(out.size())); }),
      tunnels_(MakeTunnels(this, plan)),
      wheel_(NowUs() / kUsPerMs),
      calls_(plan->calls()),
      now_us_(NowUs()) {
  ppp_settings_.mru = 1500;  // more than any probe: the server is to send them whole
  ppp_settings_.restart_timer_ms = 3000;
  ppp_settings_.mppe = plan->mppe() == 0 ? ppp::MppePolicy::kDeny : ppp::MppePolicy::kRequire;
  connections_.resize((calls_.size() + plan->calls_per_connection() - 1) /
                      plan->calls_per_connection());
  for (uint32_t i = 0; i < calls_.size(); ++i) {
    calls_[i].index = i;
  }
  tally_->calls[static_cast<size_t>(Stage::kIdle)] = plan->calls();
  if (const auto sink = config::ParseEndpoint(plan->sink())) {
    sink_ = *sink;
  }
  std::array<uint8_t, 4> octets{};
  random_(octets);
  run_ = wire::LoadBe32(octets.data());
}

Fleet::~Fleet() {
  Drop();
  if (epoll_ >= 0) {
    close(epoll_);
  }
}

std::string Fleet::Open() {
  for (const std::string& server : plan_->server()) {
    servers_.push_back(*config::ParseIpv4(server));
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (std::string wrong = tunnels_->Open(); !wrong.empty()) {
    return wrong;
  }
  if (std::string wrong = CheckSources(); !wrong.empty()) {  // which the tunnels may have made
    return wrong;
  }
  if (tunnels_->fd() >= 0) {
    Watch(tunnels_->fd());
  }
  return "";
}

std::string Fleet::CheckSources() {
  for (const std::string& text : plan_->source()) {
    const config::Ipv4Range range = *config::ParseRange(text);
    if (range.Size() > kMaxSources) {
      return fmt::format("source {}: has more than {} addresses", text, kMaxSources);
    }
    // A prefix of a network: its first and last address are as good as the others.
    for (const uint32_t end : {range.first, range.last}) {
      if (const int error = BindsTo(end); error != 0) {
        return fmt::format("source {}: {} is not local ({}); try: ip route add local {} dev lo",
                           text, config::FormatIpv4(end), std::strerror(error), text);
      }
    }
    for (uint64_t address = range.first; address <= range.last; ++address) {
      sources_.push_back(static_cast<uint32_t>(address));
    }
  }
  if (sources_.empty()) {
    const uint32_t source = RouteTo(servers_.front());
    if (source == 0) {
      return fmt::format("no route to {}", config::FormatIpv4(servers_.front()));
    }
    sources_.push_back(source);
  }
  return "";
}

void Fleet::Watch(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

uint32_t Fleet::num_live() const {
  return static_cast<uint32_t>(calls_.size()) - tally_->calls[static_cast<size_t>(Stage::kIdle)] -
         tally_->calls[static_cast<size_t>(Stage::kOver)] + num_connections_;
}

void Fleet::Dial(uint32_t num) {
  now_us_ = NowUs();
  for (; num > 0 && num_begun_ < calls_.size(); --num) {
    Begin(calls_[num_begun_++]);
  }
  for (; num > 0 && !redial_.empty(); --num) {
    Call& call = calls_[redial_.back()];
    redial_.pop_back();
    Begin(call);
  }
}

void Fleet::Turn(int wait_ms) {
  std::array<epoll_event, 256> events;
  const int64_t wait_us = tunnels_->MaxWaitUs(wait_ms * int64_t{1000});
  const timespec wait{.tv_sec = wait_us / 1'000'000, .tv_nsec = wait_us % 1'000'000 * 1000};
  const int count = epoll_pwait2(epoll_, events.data(), events.size(), &wait, nullptr);
  now_us_ = NowUs();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.ptr != nullptr) {
      OnSocket(*static_cast<Connection*>(event.data.ptr), event.events);
    }
  }
  tunnels_->Receive();
  wheel_.Advance(now_ms(), [this](const Wheel::Timer& timer) { OnTimer(timer); });
  tunnels_->Flush(now_ms());
  const Tunnels::Counters counters = tunnels_->counters();
  tally_->gre_late = counters.late;
  tally_->gre_duplicated = counters.duplicated;
  tally_->gre_strange = counters.strange;
  tally_->unsent = counters.unsent;
  closed_.clear();
}

void Fleet::SetTimer(uint64_t* due_ms, uint64_t at_ms, uint32_t index, Timer kind) {
  *due_ms = at_ms;
  wheel_.Add({.due_ms = at_ms, .index = index, .kind = kind});
}

// OnTimer: a timer counts when it is still the one that was set last.
void Fleet::OnTimer(const Wheel::Timer& timer) {
  const auto counts = [&timer](uint64_t* due_ms) {
    return *due_ms == timer.due_ms && std::exchange(*due_ms, 0) != 0;
  };
  if (timer.kind == kControl) {
    Connection* connection = connections_[timer.index].get();
    if (connection != nullptr && counts(&connection->due_ms)) {
      connection->control.OnTimer(now_ms());
      TakeEffects(*connection);
    }
    return;
  }
  Call& call = calls_[timer.index];
  if (timer.kind == kPpp && counts(&call.ppp_due_ms) && call.ppp != nullptr && !call.is_silent) {
    call.ppp->OnTimer(now_ms());
    Progress(call);
  } else if (timer.kind == kSend && counts(&call.send_due_ms)) {
    SendDue(call);
  } else if (timer.kind == kHold && counts(&call.hold_due_ms)) {
    FinishCall(call);
  } else if (timer.kind == kSetup && counts(&call.setup_due_ms) && call.stage < Stage::kUp) {
    Fail(call, "not up in time");
  } else if (timer.kind == kAsk && counts(&call.ask_due_ms)) {
    Ask(call);
  } else if (timer.kind == kEnd && counts(&call.end_due_ms)) {
    EndCall(call);
  }
}

void Fleet::Enter(Call& call, Stage stage) {
  if (stage == call.stage) {
    return;
  }
  if (call.stage > Stage::kIdle && call.stage < Stage::kUp && stage > call.stage &&
      stage <= Stage::kUp) {
    tally_->stages[static_cast<size_t>(call.stage)].Add(now_us_ - call.stage_us);
  }
  --tally_->calls[static_cast<size_t>(call.stage)];
  ++tally_->calls[static_cast<size_t>(stage)];
  call.stage = stage;
  call.stage_us = now_us_;
}

void Fleet::Fail(Call& call, std::string_view reason) {
  if (call.stage == Stage::kIdle || call.stage >= Stage::kEnding) {
    return;  // of a connection that closes some calls may not have been dialled yet
  }
  last_failure_ = fmt::format("{}: {}", StageName(call.stage), reason);
  if (call.stage == Stage::kUp) {
    tally_->Disconnect(reason);
  } else {
    tally_->Fail(call.stage, reason);
  }
  EndCall(call);
}

void Fleet::FinishCall(Call& call) {
  if (call.stage != Stage::kUp) {
    return;
  }
  if (!has_packets()) {
    return EndCall(call);
  }
  call.ends_with_report = true;
  Ask(call);
}

void Fleet::EndCall(Call& call) {
  if (call.stage == Stage::kIdle || call.stage >= Stage::kEnding) {
    return;
  }
  const bool is_dialled = call.stage >= Stage::kRequest;
  Enter(call, Stage::kEnding);
  if (call.asks_left != 0) {
    call.asks_left = 0;
    --num_asking_;
  }
  Connection* connection = ConnectionOf(call);
  if (connection == nullptr || !is_dialled) {
    return Over(call);
  }
  connection->control.HangUp(call.id, now_ms());
  TakeEffects(*connection);
}

// Over: the call is gone; its connection goes with its last one.
void Fleet::Over(Call& call) {
  if (call.stage == Stage::kIdle || call.stage == Stage::kOver) {
    return;
  }
  Enter(call, Stage::kOver);
  Forget(call);
  if (plan_->redial() && !ending_) {
    redial_.push_back(call.index);
  }
  Connection* connection = ConnectionOf(call);
  if (connection != nullptr && --connection->num_calls == 0 && !connection->stopping) {
    connection->stopping = true;
    if (connection->control.established()) {
      connection->control.Stop(pptp::StopReason::kNone, now_ms());
      TakeEffects(*connection);
    } else {
      Close(*connection);
    }
  }
}

void Fleet::AskSinks() {
  constexpr uint64_t kPerMs = 20;
  now_us_ = NowUs();
  uint64_t num = 0;
  for (Call& call : calls_) {
    if (call.stage == Stage::kUp && call.asks_left == 0) {
      call.asks_left = 4;
      ++num_asking_;
      SetTimer(&call.ask_due_ms, now_ms() + num++ / kPerMs, call.index, kAsk);
    }
  }
}

void Fleet::EndCalls(double per_second) {
  now_us_ = NowUs();
  ending_ = true;
  redial_.clear();
  num_begun_ = static_cast<uint32_t>(calls_.size());
  double num = 0;
  for (Call& call : calls_) {
    if (call.stage != Stage::kIdle && call.stage < Stage::kEnding) {
      const auto after_ms = static_cast<uint64_t>(num++ * 1000 / per_second);
      SetTimer(&call.end_due_ms, now_ms() + after_ms, call.index, kEnd);
    }
  }
}

void Fleet::Add(uint32_t num) {
  const auto first = static_cast<uint32_t>(calls_.size());
  calls_.resize(first + num);
  for (uint32_t i = first; i < calls_.size(); ++i) {
    calls_[i].index = i;
  }
  tally_->calls[static_cast<size_t>(Stage::kIdle)] += num;
  connections_.resize((calls_.size() + plan_->calls_per_connection() - 1) /
                      plan_->calls_per_connection());
}

void Fleet::Stop(uint32_t num) {
  now_us_ = NowUs();
  for (auto call = calls_.rbegin(); call != calls_.rend() && num > 0; ++call) {
    if (call->stage == Stage::kUp && !call->ends_with_report) {
      FinishCall(*call);
      --num;
    }
  }
}

void Fleet::StartCapture(uint32_t call_index, Capture* capture) {
  tunnels_->StartCapture(call_index, capture);
}

void Fleet::Drop() {
  for (const std::unique_ptr<Connection>& connection : connections_) {
    if (connection != nullptr && connection->fd >= 0) {
      close(std::exchange(connection->fd, -1));
    }
  }
}

}  // namespace culvert::load
