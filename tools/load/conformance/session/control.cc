#include "tools/load/conformance/session/control.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace culvert::load::conformance {

namespace wp = wire::pptp;

namespace {

sockaddr_in AddressOf(uint32_t address, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address);
  out.sin_port = htons(port);
  return out;
}

}  // namespace

std::string Control::Connect(const Target& target) {
  Close();
  closed_ = false;
  problem_.clear();
  parser_ = {};
  heard_.clear();
  mark = num_octets_ = 0;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (target.source != 0) {
    const sockaddr_in from = AddressOf(target.source, 0);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
      return std::string("the source address: ") + strerror(errno);
    }
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in to = AddressOf(target.server, target.port);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
      errno != EINPROGRESS) {
    return strerror(errno);
  }
  pollfd polled{fd_, POLLOUT, 0};
  if (poll(&polled, 1, target.wait_ms) <= 0) {
    return "no answer";
  }
  int error = 0;
  socklen_t len = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &len);
  if (error != 0) {
    return strerror(error);
  }
  sockaddr_in ours{};
  len = sizeof ours;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&ours), &len);
  local_address_ = ntohl(ours.sin_addr.s_addr);
  return {};
}

void Control::Close() {
  if (fd_ >= 0) {
    close(std::exchange(fd_, -1));
  }
}

void Control::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

void Control::HalfClose() { shutdown(fd_, SHUT_WR); }

void Control::Send(Octets octets) {
  while (!octets.empty() && fd_ >= 0) {
    const ssize_t len = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (len >= 0) {
      octets = octets.subspan(static_cast<size_t>(len));
    } else if (errno == EAGAIN) {
      pollfd polled{fd_, POLLOUT, 0};
      if (poll(&polled, 1, 1000) <= 0) {
        return;
      }
    } else if (errno != EINTR) {
      return;  // closed: Read sees it
    }
  }
}

void Control::Read() {
  std::array<uint8_t, 4096> buffer;
  while (fd_ >= 0 && !closed_) {
    const ssize_t len = recv(fd_, buffer.data(), buffer.size(), 0);
    if (len < 0 && errno == EINTR) {
      continue;
    }
    if (len < 0 && errno == EAGAIN) {
      return;
    }
    if (len <= 0) {
      closed_ = true;
      return;
    }
    num_octets_ += static_cast<size_t>(len);
    Octets in(buffer.data(), static_cast<size_t>(len));
    while (problem_.empty()) {
      const auto message = parser_.Next(in);
      if (message) {
        heard_.push_back(*message);
        const auto* echo = std::get_if<wp::EchoRequest>(&*message);
        if (echo != nullptr && answer_echo) {
          Send(wp::EchoReply{.identifier = echo->identifier});
        }
      } else if (message.error() == wp::Error::kIncomplete) {
        break;
      } else {
        problem_ = "the server's message is malformed: " + std::string(ToString(message.error()));
      }
    }
  }
}

std::string Control::Summary(size_t from) const {
  std::string out;
  for (size_t i = from; i < heard_.size(); ++i) {
    out += (out.empty() ? "" : ", ") + std::string(ToString(wp::TypeOf(heard_[i])));
  }
  if (!problem_.empty()) {
    out += (out.empty() ? "" : ", ") + problem_;
  }
  if (closed_) {
    out += out.empty() ? "closed" : ", closed";
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace culvert::load::conformance
