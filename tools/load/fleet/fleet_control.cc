// The control connections of a fleet.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tools/load/fleet/connection.h"

namespace culvert::load {

namespace {

sockaddr_in AddressOf(uint32_t address, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = wire::Be16::FromHost(port).Raw();
  out.sin_addr.s_addr = wire::Be32::FromHost(address).Raw();
  return out;
}

uint64_t KeyOf(uint32_t id_space, uint16_t id) { return uint64_t{id_space} << 16 | id; }

// ResultText: Call-Disconnect-Notify's result codes (RFC 2637 s2.13).
std::string ResultText(uint8_t result) {
  constexpr const char* kTexts[] = {"", "lost carrier", "general error", "admin shutdown",
                                    "request"};
  return result >= 1 && result <= 4 ? kTexts[result] : fmt::format("result {}", result);
}

}  // namespace

Fleet::Connection* Fleet::ConnectionOf(const Call& call) {
  return connections_[call.index / plan_->calls_per_connection()].get();
}

Call* Fleet::Find(uint32_t id_space, uint16_t id) {
  const auto it = by_id_.find(KeyOf(id_space, id));
  return it == by_id_.end() ? nullptr : &calls_[it->second];
}

uint16_t Fleet::TakeId(uint32_t id_space) {
  uint16_t& last = last_id_[id_space];
  for (unsigned i = 0; i < 65536; ++i) {
    if (++last != 0 && !by_id_.contains(KeyOf(id_space, last))) {
      return last;
    }
  }
  return 0;
}

void Fleet::Begin(Call& call) {
  const uint32_t group = call.index / plan_->calls_per_connection();
  std::unique_ptr<Connection>& connection = connections_[group];
  ++tally_->asked;
  call.begun_us = now_us_;
  if (connection == nullptr) {
    connection = std::make_unique<Connection>(&control_settings_, group);
    connection->source = sources_[group % sources_.size()];
    connection->server = servers_[group % servers_.size()];
    ++num_connections_;
  }
  call.source = connection->source;
  call.server = connection->server;
  ++connection->num_calls;
  const auto timeout_ms = static_cast<uint64_t>(plan_->setup_timeout_seconds() * 1000);
  SetTimer(&call.setup_due_ms, now_ms() + timeout_ms, call.index, kSetup);
  if (connection->control.established() && !connection->stopping) {
    Request(*connection, call);
    return TakeEffects(*connection);
  }
  Enter(call, Stage::kConnect);
  if (connection->fd < 0) {
    Connect(*connection);
  }
}

void Fleet::Request(Connection& connection, Call& call) {
  call.id = TakeId(IdSpace(connection));
  if (call.id == 0) {
    Enter(call, Stage::kConnect);
    return Fail(call, "no Call ID is free");
  }
  by_id_[KeyOf(IdSpace(connection), call.id)] = call.index;
  tunnels_->Begin(call.index, {.client = connection.source,
                               .server = connection.server,
                               .client_id = call.id,
                               .server_id = 0});
  Enter(call, Stage::kRequest);
  connection.control.Dial(call.id, now_ms());
}

void Fleet::Connect(Connection& connection) {
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(connection.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in local = AddressOf(connection.source, 0);
  const sockaddr_in remote = AddressOf(connection.server, static_cast<uint16_t>(plan_->port()));
  if (connection.fd < 0 ||
      bind(connection.fd, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      (connect(connection.fd, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0 &&
       errno != EINPROGRESS)) {
    connection.control.OnPeerClosed(std::strerror(errno));
    return TakeEffects(connection);
  }
  // A broadcast address can be bound to, but the kernel then sends from another one.
  sockaddr_in used{};
  socklen_t len = sizeof used;
  getsockname(connection.fd, reinterpret_cast<sockaddr*>(&used), &len);
  if (used.sin_addr.s_addr != local.sin_addr.s_addr) {
    connection.control.OnPeerClosed("the kernel does not send from " +
                                    config::FormatIpv4(connection.source));
    return TakeEffects(connection);
  }
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &connection}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
}

void Fleet::OnSocket(Connection& connection, uint32_t events) {
  if (connection.fd < 0) {
    return;
  }
  if (connection.connecting) {
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
      connection.control.OnPeerClosed(std::strerror(error));
      return TakeEffects(connection);
    }
    if ((events & EPOLLOUT) == 0) {
      return;
    }
    connection.connecting = false;
    connection.control.OnConnected(now_ms());
    const uint32_t first = connection.group * plan_->calls_per_connection();
    for (uint32_t i = first; i < calls_.size() && i < first + plan_->calls_per_connection(); ++i) {
      if (calls_[i].stage == Stage::kConnect) {
        Enter(calls_[i], Stage::kStart);
      }
    }
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    Receive(connection);
  }
  TakeEffects(connection);
}

void Fleet::Receive(Connection& connection) {
  for (;;) {
    std::array<uint8_t, 2048> buffer;
    const ssize_t len = recv(connection.fd, buffer.data(), buffer.size(), 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (len <= 0) {
      return connection.control.OnPeerClosed(len == 0 ? "the server closed the connection"
                                                      : std::strerror(errno));
    }
    connection.control.OnOctets({buffer.data(), static_cast<size_t>(len)}, now_ms());
  }
}

void Fleet::TakeEffects(Connection& connection) {
  for (const client_role::ControlEffect& effect : connection.control.TakeEffects()) {
    std::visit([&](const auto& typed) { On(connection, typed); }, effect);
  }
  Flush(connection);
  const std::optional<uint64_t> deadline_ms = connection.control.deadline_ms();
  if (deadline_ms && connection.fd >= 0 &&
      (connection.due_ms == 0 || *deadline_ms < connection.due_ms)) {
    SetTimer(&connection.due_ms, *deadline_ms, connection.group, kControl);
  }
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
  const uint32_t first = connection.group * plan_->calls_per_connection();
  for (uint32_t i = first; i < calls_.size() && i < first + plan_->calls_per_connection(); ++i) {
    if (calls_[i].stage == Stage::kConnect || calls_[i].stage == Stage::kStart) {
      Request(connection, calls_[i]);
    }
  }
}

void Fleet::On(Connection& connection, const client_role::CallOpened& effect) {
  Call* call = Find(IdSpace(connection), effect.call_id);
  if (call == nullptr || call->stage != Stage::kRequest) {
    return;
  }
  call->peer_id = effect.peer_call_id;
  call->ppp = std::make_unique<client_role::PppClient>(
      &ppp_settings_, &(*accounts_)[call->index % accounts_->size()], random_, &counters_,
      &wishes_);
  Enter(*call, Stage::kLink);
  if (const std::string wrong = tunnels_->Connect(call->index, call->peer_id); !wrong.empty()) {
    return Fail(*call, wrong);
  }
  call->ppp->Start(now_ms());
  Progress(*call);
}

void Fleet::On(Connection& connection, const client_role::CallRefused& effect) {
  if (Call* call = Find(IdSpace(connection), effect.call_id)) {
    Fail(*call,
         fmt::format("Outgoing-Call-Reply: result {}, error {}", effect.result, effect.error));
    Over(*call);
  }
}

void Fleet::On(Connection& connection, const client_role::CallClosed& effect) {
  if (Call* call = Find(IdSpace(connection), effect.call_id)) {
    Fail(*call, "Call-Disconnect-Notify: " + ResultText(effect.result));
    Over(*call);
  }
}

void Fleet::On(Connection& connection, const client_role::ConnectionClosed& effect) {
  Flush(connection);
  connection.stopping = true;
  const uint32_t first = connection.group * plan_->calls_per_connection();
  std::vector<uint32_t> again;
  for (uint32_t i = first; i < calls_.size() && i < first + plan_->calls_per_connection(); ++i) {
    Call& call = calls_[i];
    // A call that was to wait for the end of the connection before it gets a new one.
    if (call.stage == Stage::kConnect && connection.num_calls > 0 && !connection.connecting) {
      again.push_back(i);
      continue;
    }
    Fail(call, effect.reason);
    Over(call);
  }
  Close(connection);
  for (const uint32_t i : again) {
    --tally_->asked;
    Enter(calls_[i], Stage::kOver);
    Begin(calls_[i]);
  }
}

// Close: what refers to the connection in this turn can still do so.
void Fleet::Close(Connection& connection) {
  if (connection.fd >= 0) {
    close(std::exchange(connection.fd, -1));
  }
  std::unique_ptr<Connection>& place = connections_[connection.group];
  if (place.get() == &connection) {
    --num_connections_;
    closed_.push_back(std::move(place));
  }
}

void Fleet::Forget(Call& call) {
  if (call.id != 0) {
    by_id_.erase(KeyOf(IdSpace(call), call.id));
  }
  tunnels_->End(call.index);
  call.ppp.reset();
  call.id = call.peer_id = 0;
  call.ppp_due_ms = call.send_due_ms = call.hold_due_ms = call.setup_due_ms = 0;
  call.ask_due_ms = call.end_due_ms = 0;
  call.key_epoch = call.num_resets = 0;
  call.ends_with_report = call.is_silent = false;
}

}  // namespace culvert::load
