#include "tools/load/tunnel/gre_socket.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace culvert::load {

namespace gre = wire::gre;

namespace {

constexpr int kBufferLen = 64 << 20;
constexpr uint8_t kVersionAndLen = 0x45;
constexpr uint8_t kTtl = 64;

// IpHeader leaves identification and checksum to the kernel (IP_HDRINCL).
void EmitIpHeader(const GreSocket::Path& path, size_t len, uint8_t* out) {
  std::memset(out, 0, GreSocket::kIpLen);
  out[0] = kVersionAndLen;
  wire::StoreBe16(out + 2, static_cast<uint16_t>(len));
  out[8] = kTtl;
  out[9] = gre::kIpProtocol;
  wire::StoreBe32(out + 12, path.source);
  wire::StoreBe32(out + 16, path.destination);
}

// ParseArrival: false: not enhanced GRE. The kernel has checked the IPv4 header.
bool ParseArrival(std::span<uint8_t> packet, GreSocket::Arrival* out) {
  const size_t ip_len = packet.size() < GreSocket::kIpLen ? 0 : (packet[0] & 0xfU) * 4;
  if (ip_len < GreSocket::kIpLen || packet.size() < ip_len) {
    return false;
  }
  const auto header = gre::Parse(packet.subspan(ip_len));
  if (!header) {
    return false;
  }
  *out = {.source = wire::LoadBe32(&packet[12]),
          .destination = wire::LoadBe32(&packet[16]),
          .gre = *header,
          .ppp = {}};
  if (header->has_sequence) {
    out->ppp = packet.subspan(ip_len + gre::HeaderLen(*header), header->payload_len);
  }
  return true;
}

}  // namespace

GreSocket::GreSocket() : in_(kMax), out_(kMax) {
  for (unsigned i = 0; i < kMax; ++i) {
    in_vectors_[i] = {in_[i].data(), kMaxLen};
    in_headers_[i].msg_hdr.msg_iov = &in_vectors_[i];
    in_headers_[i].msg_hdr.msg_iovlen = 1;
    to_[i].sin_family = AF_INET;
    out_headers_[i].msg_hdr.msg_name = &to_[i];
    out_headers_[i].msg_hdr.msg_namelen = sizeof to_[i];
    out_headers_[i].msg_hdr.msg_iov = &out_vectors_[i];
    out_headers_[i].msg_hdr.msg_iovlen = 1;
  }
}

GreSocket::~GreSocket() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

std::string GreSocket::Open() {
  fd_ = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, gre::kIpProtocol);
  if (fd_ < 0) {
    return errno == EPERM ? "no permission for raw sockets: run as root or with CAP_NET_RAW"
                          : std::string("raw socket: ") + std::strerror(errno);
  }
  const int on = 1;
  if (setsockopt(fd_, IPPROTO_IP, IP_HDRINCL, &on, sizeof on) != 0) {
    return std::string("raw socket: ") + std::strerror(errno);
  }
  for (const auto& [forced, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
    if (setsockopt(fd_, SOL_SOCKET, forced, &kBufferLen, sizeof kBufferLen) != 0) {
      setsockopt(fd_, SOL_SOCKET, plain, &kBufferLen, sizeof kBufferLen);  // as far as it goes
    }
  }
  return "";
}

unsigned GreSocket::Receive() {
  num_arrivals_ = 0;
  const int count = recvmmsg(fd_, in_headers_.data(), kMax, 0, nullptr);
  const unsigned num = count > 0 ? static_cast<unsigned>(count) : 0;
  for (unsigned i = 0; i < num; ++i) {
    const std::span<uint8_t> packet = std::span(in_[i]).first(in_headers_[i].msg_len);
    if (!ParseArrival(packet, &arrivals_[num_arrivals_])) {
      continue;
    }
    const Arrival& arrival = arrivals_[num_arrivals_++];
    if (capture_ != nullptr && arrival.gre.call_id == wanted_.client_id &&
        arrival.source == wanted_.server && arrival.destination == wanted_.client) {
      capture_->Write(packet);
    }
  }
  return num;
}

std::span<uint8_t> GreSocket::Add(const Path& path, const gre::Header& header, size_t ppp_len) {
  Buffer& buffer = out_[num_out_];
  const size_t header_len = kIpLen + gre::Emit(header, &buffer[kIpLen]);
  const size_t len = header_len + ppp_len;
  EmitIpHeader(path, len, buffer.data());
  out_vectors_[num_out_] = {buffer.data(), len};
  to_[num_out_].sin_addr.s_addr = htonl(path.destination);
  ++num_out_;
  return std::span(buffer).subspan(header_len, ppp_len);
}

void GreSocket::Flush() {
  if (faults_ == nullptr) {
    Send(out_headers_.data(), num_out_);
  } else {
    ApplyFaults();
    Send(suffered_.data(), static_cast<unsigned>(suffered_.size()));
  }
  num_out_ = 0;
}

// ApplyFaults: nothing is held back beyond the batch, so that the last packet of all still leaves.
void GreSocket::ApplyFaults() {
  suffered_.clear();
  for (unsigned i = 0; i < num_out_; ++i) {
    const Faults::Fate fate = faults_->Next();
    if (fate == Faults::Fate::kLose) {
      continue;
    }
    suffered_.push_back(out_headers_[i]);
    if (fate == Faults::Fate::kDuplicate) {
      suffered_.push_back(out_headers_[i]);
    } else if (fate == Faults::Fate::kSwap && i + 1 < num_out_) {
      suffered_.insert(suffered_.end() - 1, out_headers_[++i]);
    }
  }
}

void GreSocket::Send(mmsghdr* headers, unsigned num) {
  for (unsigned i = 0; i < num && capture_ != nullptr; ++i) {
    const iovec& vector = *headers[i].msg_hdr.msg_iov;
    const auto* packet = static_cast<const uint8_t*>(vector.iov_base);
    if (wire::LoadBe32(packet + 12) == wanted_.client &&
        wire::LoadBe32(packet + 16) == wanted_.server &&
        wire::LoadBe16(packet + kIpLen + 6) == wanted_.server_id) {
      capture_->Write({packet, vector.iov_len});
    }
  }
  for (unsigned sent = 0; sent < num;) {
    const int count = sendmmsg(fd_, headers + sent, num - sent, 0);
    if (count > 0) {
      sent += static_cast<unsigned>(count);
    } else if (errno != EINTR) {
      ++num_unsent_;
      ++sent;
    }
  }
}

}  // namespace culvert::load
