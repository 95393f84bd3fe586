#include "controlplane/radius/dynamic/dynamic_service.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "controlplane/logging/log_limit.h"
#include "controlplane/radius/dynamic/dynamic_metrics.h"
#include "controlplane/shard/alarm.h"

namespace culvert::radius {

namespace {

using asio::ip::udp;

constexpr size_t kBatch = 64;  // datagrams of one socket before others have their turn
constexpr uint64_t kPollMs = 20;

int64_t UnixS() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Source SourceOf(const udp::endpoint& from) {
  const asio::ip::address address = from.address();
  return {address.is_v6()
              ? address.to_v6().to_bytes()
              : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes(),
          from.port()};
}

}  // namespace

class DynamicService::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(DynamicSettings settings, const CallDirectory* directory, ChangeCall change,
       OrderRunner::Terminate terminate)
      : server_(std::move(settings)),
        runner_(directory, std::move(change), std::move(terminate)),
        alarm_(loop_, [this] { OnAlarm(); }) {}

  absl::Status Listen(const std::string& text, uint16_t port) {
    asio::error_code error;
    const asio::ip::address address = asio::ip::make_address(text, error);
    const udp::endpoint endpoint(address, port);
    auto socket = std::make_unique<udp::socket>(loop_);
    if (!error) {
      socket->open(endpoint.protocol(), error);
    }
    if (!error && address.is_v6()) {
      socket->set_option(asio::ip::v6_only(true), error);
    }
    if (!error) {
      socket->bind(endpoint, error);
    }
    if (!error) {
      socket->non_blocking(true, error);
    }
    if (error) {
      return absl::UnavailableError(absl::StrCat("radius.dynamic.listen: ", text, " port ", port,
                                                 ": ", error.message(),
                                                 ": free it or change the setting"));
    }
    sockets_.push_back(std::move(socket));
    return absl::OkStatus();
  }

  void Start() {
    for (size_t i = 0; i < sockets_.size(); ++i) {
      Receive(i);
    }
    thread_ = std::thread([this] { loop_.run(); });
  }
  void Stop() {
    loop_.stop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  [[nodiscard]] std::shared_ptr<prometheus::Collectable> metrics() const {
    return metrics_.registry;
  }

 private:
  void Receive(size_t socket) {
    sockets_[socket]->async_wait(udp::socket::wait_read,
                                 [this, socket](const asio::error_code& error) {
                                   if (!error) {
                                     TakeDatagrams(socket);
                                     Receive(socket);
                                   }
                                 });
  }

  void TakeDatagrams(size_t socket) {
    for (size_t i = 0; i < kBatch; ++i) {
      udp::endpoint from;
      asio::error_code error;
      const size_t len = sockets_[socket]->receive_from(asio::buffer(buffer_), from, 0, error);
      if (error) {
        return;
      }
      OnDatagram(socket, from, Octets(buffer_).first(len));
    }
  }

  void OnDatagram(size_t socket, const udp::endpoint& from, Octets datagram) {
    const uint64_t now_ms = SteadyMs();
    DynamicServer::Effect effect = server_.OnDatagram(datagram, SourceOf(from), now_ms, UnixS());
    if (effect.dropped) {
      return OnDropped(*effect.dropped, from);
    }
    if (!effect.order) {
      return Send(socket, from, effect.reply);
    }
    // A change is answered by its shard's thread, perhaps when we have gone.
    runner_.Run(std::move(*effect.order), now_ms,
                [weak = weak_from_this(), socket, from,
                 ticket = effect.ticket](std::optional<ErrorCause> refused) {
                  if (const std::shared_ptr<Impl> alive = weak.lock()) {
                    asio::post(alive->loop_, [alive = alive.get(), socket, from, ticket, refused] {
                      alive->Send(socket, from, alive->server_.Finish(ticket, refused).reply);
                    });
                  }
                });
    alarm_.Set(now_ms);
  }

  void OnDropped(Dropped dropped, const udp::endpoint& from) {
    metrics_.dropped.Increment(DroppedName(dropped));
    if (dropped == Dropped::kDuplicate) {
      return;
    }
    if (std::optional<uint64_t> left_out = drop_limit_.Admit()) {
      spdlog::warn("radius: a request from {} was dropped: {} ({} more since the last such line)",
                   from.address().to_string(), DroppedName(dropped), *left_out);
    }
  }

  void Send(size_t socket, const udp::endpoint& to, const std::vector<uint8_t>& reply) {
    const auto packet = Parse(reply);
    if (!packet) {
      return;  // nothing fits beside the request's Proxy-State
    }
    metrics_.replies.Increment(CodeName(packet->code));
    if (const Attribute* cause = packet->Find(attr::kErrorCause)) {
      const auto value = static_cast<ErrorCause>(IntegerOf(cause->value).value_or(0));
      metrics_.refused.Increment(ErrorCauseName(value));
      if (std::optional<uint64_t> left_out = refuse_limit_.Admit()) {
        spdlog::info("radius: {} to {}: {} ({} more since the last such line)",
                     CodeName(packet->code), to.address().to_string(), ErrorCauseName(value),
                     *left_out);
      }
    }
    asio::error_code error;
    sockets_[socket]->send_to(asio::buffer(reply), to, 0,
                              error);  // a lost answer is asked for again
  }

  void OnAlarm() {
    if (runner_.OnTime(SteadyMs())) {
      alarm_.Set(SteadyMs() + kPollMs);
    }
  }

  asio::io_context loop_{1};
  DynamicMetrics metrics_;
  DynamicServer server_;
  OrderRunner runner_;
  std::vector<std::unique_ptr<udp::socket>> sockets_;
  std::array<uint8_t, kMaxPacketLen> buffer_{};  // what is longer is cut, and so refused
  LogLimit drop_limit_, refuse_limit_;
  Alarm alarm_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<DynamicService>> DynamicService::Start(
    DynamicServiceSettings settings, const CallDirectory* directory, ChangeCall change,
    OrderRunner::Terminate terminate) {
  auto impl = std::make_shared<Impl>(std::move(settings.protocol), directory, std::move(change),
                                     std::move(terminate));
  for (const std::string& address : settings.listen) {
    if (absl::Status status = impl->Listen(address, settings.port); !status.ok()) {
      return status;
    }
  }
  impl->Start();
  return std::unique_ptr<DynamicService>(new DynamicService(std::move(impl)));
}

DynamicService::~DynamicService() { Stop(); }

void DynamicService::Stop() { impl_->Stop(); }

std::shared_ptr<prometheus::Collectable> DynamicService::metrics() const {
  return impl_->metrics();
}

}  // namespace culvert::radius
