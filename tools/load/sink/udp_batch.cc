#include "tools/load/sink/udp_batch.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace culvert::load {

namespace {

constexpr int kBufferLen = 32 << 20;

msghdr HeaderOf(sockaddr_in* peer, iovec* vector, void* control, size_t control_len) {
  msghdr header{};
  header.msg_name = peer;
  header.msg_namelen = sizeof *peer;
  header.msg_iov = vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = control_len;
  return header;
}

in_addr LocalOf(msghdr* header) {
  for (cmsghdr* one = CMSG_FIRSTHDR(header); one != nullptr; one = CMSG_NXTHDR(header, one)) {
    if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(one), sizeof info);
      return info.ipi_addr;
    }
  }
  return {};
}

}  // namespace

UdpBatch::UdpBatch() : in_(kMax), out_(kMax) {}

UdpBatch::~UdpBatch() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

std::string UdpBatch::Open(uint32_t address, uint16_t port) {
  fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    const int plain = option == SO_RCVBUFFORCE ? SO_RCVBUF : SO_SNDBUF;
    if (setsockopt(fd_, SOL_SOCKET, option, &kBufferLen, sizeof kBufferLen) != 0) {
      setsockopt(fd_, SOL_SOCKET, plain, &kBufferLen, sizeof kBufferLen);  // as far as it goes
    }
  }
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(port);
  local.sin_addr.s_addr = htonl(address);
  if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) {
    return std::strerror(errno);
  }
  return "";
}

unsigned UdpBatch::Receive() {
  for (unsigned i = 0; i < kMax; ++i) {
    Message& message = in_[i];
    message.vector = {message.octets.data(), message.octets.size()};
    in_headers_[i] = {
        HeaderOf(&message.peer, &message.vector, message.control.data(), message.control.size()),
        0};
  }
  const int count = recvmmsg(fd_, in_headers_.data(), kMax, 0, nullptr);
  const unsigned num = count > 0 ? static_cast<unsigned>(count) : 0;
  for (unsigned i = 0; i < num; ++i) {
    from_[i] = {in_[i].peer, LocalOf(&in_headers_[i].msg_hdr)};
  }
  return num;
}

std::span<const uint8_t> UdpBatch::payload(unsigned i) const {
  return std::span(in_[i].octets).first(in_headers_[i].msg_len);
}

std::span<uint8_t> UdpBatch::Add(const From& to, size_t len) {
  if (num_out_ == kMax) {
    Flush();
  }
  Message& message = out_[num_out_];
  message.peer = to.peer;
  message.vector = {message.octets.data(), std::min(len, kMaxLen)};
  msghdr header =
      HeaderOf(&message.peer, &message.vector, message.control.data(), message.control.size());
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = IPPROTO_IP;
  control->cmsg_type = IP_PKTINFO;
  control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  const in_pktinfo info{.ipi_ifindex = 0, .ipi_spec_dst = to.local, .ipi_addr = {}};
  std::memcpy(CMSG_DATA(control), &info, sizeof info);
  out_headers_[num_out_] = {header, 0};
  ++num_out_;
  return {message.octets.data(), message.vector.iov_len};
}

void UdpBatch::Flush() {
  for (unsigned sent = 0; sent < num_out_;) {
    const int count = sendmmsg(fd_, &out_headers_[sent], num_out_ - sent, 0);
    if (count > 0) {
      sent += static_cast<unsigned>(count);
    } else if (errno != EINTR) {
      ++num_unsent_;  // no room, no route: this one is lost, as on a network
      ++sent;
    }
  }
  num_out_ = 0;
}

}  // namespace culvert::load
