#include "controlplane/radius/client/client.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <thread>

#include "controlplane/logging/log_limit.h"
#include "controlplane/radius/client/dispatcher.h"
#include "controlplane/radius/client/steady_us.h"
#include "controlplane/shard/alarm.h"
#include "controlplane/shard/random.h"

namespace culvert::radius {

namespace {

using asio::ip::udp;

constexpr size_t kBatch = 64;  // datagrams taken before others have a turn
// For answers to all requests that a socket may have out (256), when they come at once.
constexpr int kReceiveBufferLen = 1 << 20;

// AddressOf: the texts were checked by Start().
asio::ip::address AddressOf(const std::string& text) {
  asio::error_code error;
  return asio::ip::make_address(text, error);
}

}  // namespace

// ServiceLoop is the sockets and the clock of one service's Dispatcher. Of the client's thread.
class ServiceLoop final : public Dispatcher::Outside {
 public:
  ServiceLoop(asio::io_context& loop, Service service, std::vector<ServerSettings> servers,
              const ClientSettings& settings, std::vector<std::shared_ptr<ServerStats>> stats)
      : loop_(loop),
        source_ipv4_(settings.source_ipv4),
        source_ipv6_(settings.source_ipv6),
        alarm_(loop, [this] { OnAlarm(); }),
        dispatcher_(service, servers, settings.times, std::move(stats), this) {
    for (ServerSettings& server : servers) {
      servers_.push_back(std::make_unique<Server>());
      servers_.back()->settings = std::move(server);
      servers_.back()->endpoint = {AddressOf(servers_.back()->settings.address),
                                   servers_.back()->settings.port};
    }
  }

  void Send(Request request, Answered done) {
    dispatcher_.Send(std::move(request), std::move(done), SteadyUs());
    SetAlarm();
  }
  void Stop() {
    dispatcher_.Stop();
    alarm_.Set(std::nullopt);
    for (const std::unique_ptr<Server>& server : servers_) {
      server->sockets.clear();
    }
  }

  void Transmit(size_t index, size_t channel, Octets packet) override {
    Server& server = *servers_[index];
    server.sockets.resize(std::max(server.sockets.size(), channel + 1));
    if (server.sockets[channel] == nullptr && !Open(index, channel)) {
      return;  // as if the packet were lost: it is sent again
    }
    asio::error_code error;
    server.sockets[channel]->send(asio::buffer(packet.data(), packet.size()), 0, error);
    if (error && error != asio::error::connection_refused) {
      Complain(server, "cannot send", error);
    }
  }
  void FillRandom(std::span<uint8_t> out) override { culvert::FillRandom(out); }
  void OnServerState(size_t index, bool up) override {
    const ServerSettings& server = servers_[index]->settings;
    if (up) {
      spdlog::info("radius: server {} ({}) answers again", server.name, server.address);
    } else {
      spdlog::warn("radius: server {} ({} port {}) does not answer", server.name, server.address,
                   server.port);
    }
  }
  void OnUnprotected(size_t index) override {
    Server& server = *servers_[index];
    if (std::optional<uint64_t> left_out = server.unprotected_limit.Admit()) {
      spdlog::warn(
          "radius: server {} ({}) answers without Message-Authenticator: whoever can change its "
          "packets can let anybody in (CVE-2024-3596); make the server send it, then set "
          "message_authenticator = \"required\" ({} more since the last such line)",
          server.settings.name, server.settings.address, *left_out);
    }
  }

 private:
  struct Server {
    ServerSettings settings;
    udp::endpoint endpoint;
    std::vector<std::shared_ptr<udp::socket>> sockets;  // by channel
    LogLimit unprotected_limit{std::chrono::seconds(60)};
    LogLimit error_limit;
  };

  static void Complain(Server& server, const char* what, const asio::error_code& error) {
    if (std::optional<uint64_t> left_out = server.error_limit.Admit()) {
      spdlog::error("radius: {} to server {} ({}): {} ({} more since the last such line)", what,
                    server.settings.name, server.settings.address, error.message(), *left_out);
    }
  }

  bool Open(size_t index, size_t channel) {
    Server& server = *servers_[index];
    auto socket = std::make_shared<udp::socket>(loop_);
    const std::string& source = server.endpoint.address().is_v4() ? source_ipv4_ : source_ipv6_;
    asio::error_code error;
    socket->open(server.endpoint.protocol(), error);
    if (!error && !source.empty()) {
      socket->bind({AddressOf(source), 0}, error);
    }
    if (!error) {
      socket->connect(server.endpoint, error);
    }
    if (!error) {
      socket->non_blocking(true, error);
    }
    asio::error_code smaller;  // net.core.rmem_max: then it is as large as may be
    socket->set_option(udp::socket::receive_buffer_size(kReceiveBufferLen), smaller);
    if (error) {
      Complain(server, "cannot open a socket", error);
      return false;
    }
    server.sockets[channel] = socket;
    Receive(index, channel, socket);
    return true;
  }

  // Receive waits; the socket lives as long as sockets[] holds it.
  void Receive(size_t index, size_t channel, const std::shared_ptr<udp::socket>& socket) {
    socket->async_wait(udp::socket::wait_read,
                       [this, index, channel,
                        weak = std::weak_ptr<udp::socket>(socket)](const asio::error_code& error) {
                         const std::shared_ptr<udp::socket> alive = weak.lock();
                         if (error == asio::error::operation_aborted || alive == nullptr) {
                           return;
                         }
                         TakeDatagrams(index, channel, *alive);
                         if (weak.use_count() > 1) {  // not stopped meanwhile
                           Receive(index, channel, alive);
                         }
                       });
  }

  void TakeDatagrams(size_t index, size_t channel, udp::socket& socket) {
    for (size_t i = 0; i < kBatch; ++i) {
      asio::error_code error;
      const size_t len = socket.receive(asio::buffer(buffer_), 0, error);
      if (error == asio::error::connection_refused) {
        continue;  // ICMP, which anybody may send: only time decides that a server is dead
      }
      if (error) {
        break;
      }
      dispatcher_.OnDatagram(index, channel, Octets(buffer_).first(len), SteadyUs());
    }
    SetAlarm();
  }

  void OnAlarm() {
    dispatcher_.OnTime(SteadyUs());
    SetAlarm();
  }
  void SetAlarm() {
    constexpr uint64_t kUsPerMs = 1000;
    const std::optional<uint64_t> deadline = dispatcher_.NextDeadline();
    alarm_.Set(deadline ? std::optional((*deadline + kUsPerMs - 1) / kUsPerMs) : std::nullopt);
  }

  asio::io_context& loop_;
  const std::string source_ipv4_, source_ipv6_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::array<uint8_t, kMaxPacketLen> buffer_{};  // what is longer is cut, and so refused
  Alarm alarm_;
  Dispatcher dispatcher_;
};

class Client::Impl {
 public:
  Impl(const ClientSettings& settings, const std::vector<std::shared_ptr<ServerStats>>& stats)
      : authentication_(loop_, Service::kAuthentication, settings.authentication, settings,
                        {stats.begin(), stats.begin() + Split(settings)}),
        accounting_(loop_, Service::kAccounting, settings.accounting, settings,
                    {stats.begin() + Split(settings), stats.end()}),
        thread_([this] { loop_.run(); }) {}
  ~Impl() { Stop(); }

  void Send(Service service, Request request, Answered done) {
    asio::post(loop_,
               [this, service, request = std::move(request), done = std::move(done)]() mutable {
                 if (stopped_) {
                   return done({});
                 }
                 (service == Service::kAuthentication ? authentication_ : accounting_)
                     .Send(std::move(request), std::move(done));
               });
  }
  void Stop() {
    if (!thread_.joinable()) {
      return;
    }
    asio::post(loop_, [this] {
      stopped_ = true;
      authentication_.Stop();
      accounting_.Stop();
      loop_.stop();
    });
    thread_.join();
  }

 private:
  static ptrdiff_t Split(const ClientSettings& settings) {
    return static_cast<ptrdiff_t>(settings.authentication.size());
  }

  asio::io_context loop_{1};
  const asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  bool stopped_ = false;
  ServiceLoop authentication_, accounting_;
  std::thread thread_;
};

Client::Client(ClientSettings settings) {
  for (Service service : {Service::kAuthentication, Service::kAccounting}) {
    for (const ServerSettings& server :
         service == Service::kAuthentication ? settings.authentication : settings.accounting) {
      auto stats = std::make_shared<ServerStats>();
      stats->name = server.name;
      stats->address = server.address;
      stats->port = server.port;
      stats->service = service;
      stats->priority = server.priority;
      stats->weight = server.weight;
      stats->SetUp(true, SteadyUs());
      stats_.push_back(std::move(stats));
    }
  }
  impl_ = std::make_unique<Impl>(settings, stats_);
}

Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::Start(ClientSettings settings) {
  std::vector<std::string> texts;
  for (const auto* servers : {&settings.authentication, &settings.accounting}) {
    for (const ServerSettings& server : *servers) {
      texts.push_back(server.address);
    }
  }
  for (const std::string& source : {settings.source_ipv4, settings.source_ipv6}) {
    if (!source.empty()) {
      texts.push_back(source);
    }
  }
  for (const std::string& text : texts) {
    asio::error_code error;
    asio::ip::make_address(text, error);
    if (error) {
      return absl::InvalidArgumentError(absl::StrCat("radius: '", text, "' is no IP address"));
    }
  }
  return std::unique_ptr<Client>(new Client(std::move(settings)));
}

void Client::Send(Service service, Request request, Answered done) {
  impl_->Send(service, std::move(request), std::move(done));
}

void Client::Stop() { impl_->Stop(); }

}  // namespace culvert::radius
