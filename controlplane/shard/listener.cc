#include "controlplane/shard/listener.h"

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <chrono>

namespace culvert {

namespace {

using asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using FreeBind = asio::detail::socket_option::boolean<IPPROTO_IP, IP_FREEBIND>;

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kBackOff{100};

absl::Status BindError(const config::Endpoint& endpoint, const asio::error_code& error) {
  std::string text = absl::StrCat("cannot listen on ", config::FormatEndpoint(endpoint), " (",
                                  error.message(), "): ");
  if (error == asio::error::address_in_use) {
    return absl::AlreadyExistsError(
        absl::StrCat(text, "another process has it; `ss -ltnp sport = :", endpoint.port,
                     "` names it; stop it or change pptp.listen"));
  }
  if (error == asio::error::access_denied) {
    return absl::PermissionDeniedError(absl::StrCat(
        text, "start as root or with CAP_NET_BIND_SERVICE, or listen above port 1023"));
  }
  return absl::UnavailableError(absl::StrCat(text, "check pptp.listen"));
}

}  // namespace

Listener::Listener(asio::io_context& loop, const config::Endpoint& endpoint, Accepted accepted)
    : endpoint_(endpoint), accepted_(std::move(accepted)), acceptor_(loop), back_off_(loop) {}

asio::error_code Listener::Bind(bool shared) {
  asio::error_code error;
  acceptor_.open(tcp::v4(), error);
  if (error) {
    return error;
  }
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (shared) {
    acceptor_.set_option(ReusePort(true), error);
  }
  // Accepted sockets have these from the start. Keepalive finds hosts that are gone when echo is
  // set to be slow.
  acceptor_.set_option(tcp::no_delay(true), error);
  acceptor_.set_option(tcp::socket::keep_alive(true), error);
  // Our addresses live on the data plane's TAPs, which may come after us.
  acceptor_.set_option(FreeBind(true), error);
  acceptor_.bind({asio::ip::address_v4(endpoint_.address), endpoint_.port}, error);
  return error;
}

absl::Status Listener::Probe() {
  asio::error_code error = Bind(/*shared=*/false), ignored;
  acceptor_.close(ignored);
  return error ? BindError(endpoint_, error) : absl::OkStatus();
}

absl::Status Listener::Open(bool shared) {
  asio::error_code error = Bind(shared);
  if (!error) {
    acceptor_.listen(kBacklog, error);
  }
  if (!error) {
    acceptor_.non_blocking(true, error);
  }
  return error ? BindError(endpoint_, error) : absl::OkStatus();
}

void Listener::Close() {
  asio::error_code ignored;
  acceptor_.close(ignored);
  back_off_.cancel();
}

void Listener::Accept() {
  acceptor_.async_accept([this](const asio::error_code& error, tcp::socket socket) {
    if (!acceptor_.is_open()) {
      return;
    }
    if (error) {
      return OnError(error);
    }
    accepted_(std::move(socket));
    Accept();
  });
}

void Listener::OnError(const asio::error_code& error) {
  // A connection that was reset before we took it is no reason to wait; what else there is
  // (EMFILE, ENFILE, ENOBUFS, ENOMEM) would come again at once.
  if (error == asio::error::connection_aborted) {
    return Accept();
  }
  if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
    spdlog::error("accept on {}: {}; new clients wait ({} more since the last such line)",
                  config::FormatEndpoint(endpoint_), error.message(), *left_out);
  }
  back_off_.expires_after(kBackOff);
  back_off_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled && acceptor_.is_open()) {
      Accept();
    }
  });
}

}  // namespace culvert
