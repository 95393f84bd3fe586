#include "tools/bench_control/fleet.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "controlplane/crypto/mschap.h"

namespace culvert::bench {

namespace {

constexpr uint64_t kTimersUs = 100'000;
constexpr uint64_t kUsPerMs = 1000;

uint64_t NowUs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}
uint64_t NowMs() { return NowUs() / kUsPerMs; }

}  // namespace

Fleet::Fleet(const Options& options)
    : options_(options),
      control_settings_{.host_name = "bench", .vendor = "Culvert"},
      random_([](std::span<uint8_t> out) { RAND_bytes(out.data(), static_cast<int>(out.size())); }),
      epoll_(epoll_create1(0)),
      wake_(eventfd(0, EFD_NONBLOCK)),
      by_handle_(256 * 65536) {
  ppp_settings_.restart_timer_ms = 3000;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  MakeAccounts();
}

Fleet::~Fleet() {
  Drop();
  close(epoll_);
  close(wake_);
}

void Fleet::Use(Carrier* carrier) {
  carrier_ = carrier;
  if (carrier->fd() >= 0) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, carrier->fd(), &event);
  }
}

void Fleet::Wake() const { eventfd_write(wake_, 1); }

void Fleet::MakeAccounts() {
  constexpr std::string_view kPassword = "secret";
  const auto hash = crypto::NtPasswordHash(
      {reinterpret_cast<const uint8_t*>(kPassword.data()), kPassword.size()});
  for (uint32_t i = 0; i < options_.num_users; ++i) {
    char name[16];
    snprintf(name, sizeof name, "user%05u", i);
    accounts_.push_back({.user = name, .nt_hash = hash->Clone()});
  }
}

bool Fleet::Dial(double timeout_s) {
  const uint64_t begun_us = NowUs();
  const uint32_t num_connections =
      (options_.num_calls + options_.calls_per_connection - 1) / options_.calls_per_connection;
  calls_ = std::vector<Call>(num_connections * options_.calls_per_connection);
  connections_.clear();
  connections_.resize(num_connections);
  setup_ms_.clear();
  next_connection_ = num_begun_ = num_up_ = num_over_ = 0;
  failure_ = {};
  const uint32_t total = num_connections * options_.calls_per_connection;
  while (num_over_ < total && static_cast<double>(NowUs() - begun_us) < timeout_s * 1e6) {
    OpenConnections();
    Turn(20);
  }
  dial_seconds_ = static_cast<double>(NowUs() - begun_us) / 1e6;
  return num_up_ == total;
}

void Fleet::OpenConnections() {
  while (next_connection_ < connections_.size() && num_begun_ - num_over_ < options_.window) {
    Connect(next_connection_++);
    ++num_begun_;
  }
}

void Fleet::Connect(uint32_t index) {
  connections_[index] = std::make_unique<Connection>(&control_settings_);
  Connection& connection = *connections_[index];
  connection.index = index;
  connection.local_address = options_.first_address + index % options_.num_addresses;
  // No other call to this address has the same.
  connection.first_call_id =
      static_cast<uint16_t>(index / options_.num_addresses * options_.calls_per_connection + 1);
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(connection.local_address);
  CallOf(connection, connection.first_call_id).begun_us = NowUs();
  if (connection.fd < 0 ||
      (connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
       errno != EINPROGRESS)) {
    perror("bench: connect");
    exit(1);
  }
  ++num_open_;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &connection}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
}

void Fleet::Turn(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  for (int i = 0; i < count; ++i) {
    if (events[static_cast<size_t>(i)].data.ptr == nullptr) {
      eventfd_t ignored;
      eventfd_read(wake_, &ignored);
    } else {
      OnSocket(*static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr),
               events[static_cast<size_t>(i)].events);
    }
  }
  TakeFrames();
  if (NowUs() - timers_us_ > kTimersUs) {
    timers_us_ = NowUs();
    RunTimers();
  }
  if (batch_.frames_size() != 0) {
    carrier_->Send(std::exchange(batch_, {}));
  }
}

void Fleet::OnSocket(Connection& connection, uint32_t events) {
  if (connection.fd < 0) {
    return;
  }
  if (connection.connecting && (events & (EPOLLOUT | EPOLLERR)) != 0) {
    connection.connecting = false;
    connection.control.OnConnected(NowMs());
  }
  while (connection.fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    std::array<uint8_t, 2048> buffer;
    const ssize_t len = recv(connection.fd, buffer.data(), buffer.size(), 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
      break;
    }
    if (len <= 0) {
      connection.control.OnPeerClosed("closed by the peer");
      break;
    }
    connection.control.OnOctets({buffer.data(), static_cast<size_t>(len)}, NowMs());
    if (static_cast<size_t>(len) < buffer.size()) {
      break;
    }
  }
  TakeEffects(connection);
}

void Fleet::TakeEffects(Connection& connection) {
  for (const client_role::ControlEffect& effect : connection.control.TakeEffects()) {
    std::visit([&](const auto& typed) { On(connection, typed); }, effect);
  }
  Flush(connection);
}

void Fleet::Flush(Connection& connection) {
  while (connection.fd >= 0 && !connection.control.PendingOutput().empty()) {
    const wire::Octets out = connection.control.PendingOutput();
    const ssize_t len = send(connection.fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (len <= 0) {
      return;  // its EPOLLOUT or EPOLLHUP comes
    }
    connection.control.OnWritten(static_cast<size_t>(len));
  }
}

void Fleet::On(Connection& connection, const client_role::Established&) {
  for (uint32_t i = 0; i < options_.calls_per_connection; ++i) {
    const auto call_id = static_cast<uint16_t>(connection.first_call_id + i);
    Call& call = CallOf(connection, call_id);
    call.connection = &connection;
    call.account = static_cast<uint32_t>(&call - calls_.data()) % options_.num_users;
    if (i != 0) {
      call.begun_us = NowUs();
      ++num_begun_;
    }
    connection.control.Dial(call_id, NowMs());
  }
}

void Fleet::On(Connection& connection, const client_role::CallOpened& effect) {
  Call& call = CallOf(connection, effect.call_id);
  call.handle = carrier_->Open({.concentrator = connection.local_address,
                                .call_id = effect.peer_call_id,
                                .own_call_id = effect.call_id});
  by_handle_[call.handle & 0xffffff] = &call;
  call.ppp = std::make_unique<client_role::PppClient>(&ppp_settings_, &accounts_[call.account],
                                                      random_, &counters_);
  call.ppp->Start(NowMs());
  Progress(call);
}

void Fleet::On(Connection& connection, const client_role::CallRefused& effect) {
  Over(CallOf(connection, effect.call_id), &failure_.refused);
}

void Fleet::On(Connection& connection, const client_role::CallClosed& effect) {
  Over(CallOf(connection, effect.call_id), &failure_.failed);
}

void Fleet::On(Connection& connection, const client_role::ConnectionClosed&) {
  Flush(connection);
  Close(connection);
  for (uint32_t i = 0; i < options_.calls_per_connection; ++i) {
    Over(CallOf(connection, static_cast<uint16_t>(connection.first_call_id + i)), &failure_.lost);
  }
}

void Fleet::Over(Call& call, uint64_t* counter) {
  if (!std::exchange(call.over, true)) {
    ++*counter;
    ++num_over_;
  }
}

void Fleet::Close(Connection& connection) {
  if (connection.fd >= 0) {
    close(std::exchange(connection.fd, -1));
    --num_open_;
  }
}

void Fleet::TakeFrames() {
  const uint64_t now_ms = NowMs();
  for (const dataplane::v1::FrameBatch& batch : carrier_->Take()) {
    for (const dataplane::v1::Frame& frame : batch.frames()) {
      Call* call = by_handle_[frame.handle() & 0xffffff];
      if (call != nullptr && call->handle == frame.handle()) {
        call->ppp->OnFrame(
            {reinterpret_cast<const uint8_t*>(frame.data().data()), frame.data().size()}, now_ms);
        Progress(*call);
      }
    }
  }
}

void Fleet::Progress(Call& call) {
  for (const std::vector<uint8_t>& frame : call.ppp->TakeFrames()) {
    dataplane::v1::Frame& added = *batch_.add_frames();
    added.set_handle(call.handle);
    added.set_data(frame.data(), frame.size());
  }
  if (call.over) {
    return;
  }
  if (call.ppp->up()) {
    call.up = call.over = true;
    ++num_up_;
    ++num_over_;
    setup_ms_.push_back(static_cast<float>(NowUs() - call.begun_us) / 1000.0F);
  } else if (!call.ppp->failure().empty()) {
    if (failure_.failed == 0) {
      fprintf(stderr, "bench: a call failed: %s\n", call.ppp->failure().c_str());
    }
    Over(call, &failure_.failed);
  }
}

void Fleet::RunTimers() {
  const uint64_t now_ms = NowMs();
  for (Call& call : calls_) {
    if (call.ppp != nullptr && !call.over &&
        call.ppp->deadline_ms().value_or(UINT64_MAX) <= now_ms) {
      call.ppp->OnTimer(now_ms);
      Progress(call);
    }
  }
}

void Fleet::Serve(double seconds) {
  const uint64_t begun_us = NowUs();
  while (static_cast<double>(NowUs() - begun_us) < seconds * 1e6) {
    Turn(100);
  }
}

bool Fleet::Stop(double timeout_s) {
  const uint64_t begun_us = NowUs();
  for (const std::unique_ptr<Connection>& connection : connections_) {
    if (connection != nullptr) {
      connection->control.Stop(pptp::StopReason::kNone, NowMs());
      Flush(*connection);
    }
  }
  while (num_open_ != 0 && static_cast<double>(NowUs() - begun_us) < timeout_s * 1e6) {
    Turn(20);
  }
  return num_open_ == 0;
}

void Fleet::Drop() {
  for (const std::unique_ptr<Connection>& connection : connections_) {
    if (connection != nullptr && connection->fd >= 0) {
      const linger reset{.l_onoff = 1, .l_linger = 0};
      setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      Close(*connection);
    }
  }
}

}  // namespace culvert::bench
