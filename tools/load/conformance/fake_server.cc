#include "tools/load/conformance/fake_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace culvert::load::conformance {

namespace wp = wire::pptp;

namespace {

constexpr int kTickMs = 20;

bool Readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, kTickMs) > 0;
}

void SendTo(int fd, const wp::Message& message) {
  const std::vector<uint8_t> octets = wp::Emit(message);
  [[maybe_unused]] const ssize_t len = send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
}

}  // namespace

FakeServer::FakeServer(FakeFaults faults) : faults_(faults) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  listen(listener_, 16);
  socklen_t len = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &len);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

FakeServer::~FakeServer() {
  ending_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) {
    connection.join();
  }
  close(listener_);
}

void FakeServer::Accept() {
  while (!ending_) {
    if (Readable(listener_)) {
      const int fd = accept(listener_, nullptr, nullptr);
      connections_.emplace_back([this, fd] {
        Serve(fd);
        close(fd);
      });
    }
  }
}

void FakeServer::Serve(int fd) {
  wp::StreamParser parser;
  std::array<uint8_t, 1024> buffer;
  bool deaf = false;
  while (!ending_) {
    if (!Readable(fd)) {
      continue;
    }
    const ssize_t len = recv(fd, buffer.data(), buffer.size(), 0);
    if (len <= 0) {
      return;
    }
    wire::Octets in(buffer.data(), static_cast<size_t>(len));
    while (!deaf) {
      const auto message = parser.Next(in);
      if (message) {
        if (!Answer(fd, *message)) {
          return;
        }
      } else if (message.error() == wp::Error::kIncomplete) {
        break;
      } else if (message.error() == wp::Error::kUnknownType) {
        deaf = faults_.dies_of_unknown;
      } else if (message.error() == wp::Error::kBadCookie && faults_.keeps_bad_cookie) {
        deaf = true;
      } else {
        return;
      }
    }
  }
}

bool FakeServer::Answer(int fd, const wp::Message& message) {
  if (std::holds_alternative<wp::StartRequest>(message)) {
    SendTo(fd, wp::StartReply{.version = faults_.wrong_version ? uint16_t{0x0200} : wp::kVersion,
                              .host_name = wp::ToName("fake"),
                              .vendor = wp::ToName("fake")});
  } else if (const auto* echo = std::get_if<wp::EchoRequest>(&message)) {
    SendTo(fd, wp::EchoReply{.identifier = echo->identifier + (faults_.wrong_echo ? 1 : 0)});
  } else if (std::holds_alternative<wp::StopRequest>(message)) {
    if (!faults_.no_stop_reply) {
      SendTo(fd, wp::StopReply{});
    }
    return false;
  }
  return true;
}

}  // namespace culvert::load::conformance
