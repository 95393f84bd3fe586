#include "tools/load/conformance/session/tunnel.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace culvert::load::conformance {

namespace gre = wire::gre;

namespace {

sockaddr_in AddressOf(uint32_t address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address);
  return out;
}

// Sessions run side by side, and a raw socket gets the packets of all.
void KeepOnly(int fd, uint16_t call_id) {
  sock_filter code[] = {
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // X: length of the IP header
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 6),   // Call ID
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call_id, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

}  // namespace

std::string Tunnel::CanOpen() {
  const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, gre::kIpProtocol);
  if (fd < 0) {
    return errno == EPERM ? "no permission for raw sockets: run it as root, or give it CAP_NET_RAW"
                          : std::string("raw socket: ") + strerror(errno);
  }
  close(fd);
  return {};
}

std::string Tunnel::Open(uint32_t source, uint32_t server, uint16_t our_call_id) {
  Close();
  problem_.clear();
  call_id = our_call_id;
  next_sequence = 0;
  highest_received = first_received = highest_ack = std::nullopt;
  num_disordered = 0;
  fd_ = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, gre::kIpProtocol);
  if (fd_ < 0) {
    return strerror(errno);
  }
  KeepOnly(fd_, call_id);
  const int fragments = IP_PMTUDISC_DONT;
  setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &fragments, sizeof fragments);
  const int size = 4 << 20;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  const sockaddr_in from = AddressOf(source), to = AddressOf(server);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
      connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return strerror(errno);
  }
  return {};
}

void Tunnel::Close() {
  if (fd_ >= 0) {
    close(std::exchange(fd_, -1));
  }
}

void Tunnel::Send(Octets frame) { SendAt(next_sequence++, frame); }

void Tunnel::SendAt(uint32_t sequence, Octets frame) {
  gre::Header header{.payload_len = static_cast<uint16_t>(frame.size()),
                     .call_id = peer_call_id,
                     .has_sequence = true,
                     .has_ack = sends_acks && highest_received.has_value(),
                     .sequence = sequence,
                     .ack = highest_received.value_or(0)};
  std::vector<uint8_t> packet(gre::kMaxHeaderLen + frame.size());
  packet.resize(gre::Emit(header, packet.data()));
  packet.insert(packet.end(), frame.begin(), frame.end());
  SendRaw(packet);
}

void Tunnel::SendWith(uint16_t word, Octets frame, uint16_t protocol,
                      std::optional<uint16_t> payload_len) {
  std::vector<uint8_t> packet(12);
  wire::StoreBe16(&packet[0], word);
  wire::StoreBe16(&packet[2], protocol);
  wire::StoreBe16(&packet[4], payload_len.value_or(static_cast<uint16_t>(frame.size())));
  wire::StoreBe16(&packet[6], peer_call_id);
  wire::StoreBe32(&packet[8], next_sequence);
  packet.insert(packet.end(), frame.begin(), frame.end());
  SendRaw(packet);
}

void Tunnel::SendRaw(Octets gre_packet) const {
  while (send(fd_, gre_packet.data(), gre_packet.size(), 0) < 0 &&
         (errno == EINTR || errno == ECONNREFUSED || errno == ENOPROTOOPT)) {
    // An ICMP error about an earlier packet.
  }
}

std::optional<GrePacket> Tunnel::Receive() {
  std::array<uint8_t, 65536> buffer;
  for (;;) {
    const ssize_t len = fd_ < 0 ? -1 : recv(fd_, buffer.data(), buffer.size(), 0);
    if (len < 0 && fd_ >= 0 && (errno == EINTR || errno == ECONNREFUSED || errno == ENOPROTOOPT)) {
      continue;
    }
    if (len < 20) {
      return std::nullopt;
    }
    const Octets packet = Octets(buffer.data(), static_cast<size_t>(len))
                              .subspan(static_cast<size_t>(buffer[0] & 15) * 4);
    const auto header = gre::Parse(packet);
    if (!header) {
      problem_ = "the server's GRE header is malformed";
      continue;
    }
    if (header->has_ack) {
      highest_ack = header->ack;
    }
    if (header->has_sequence) {
      if (!first_received) {
        first_received = header->sequence;
      }
      num_disordered += highest_received && header->sequence != *highest_received + 1 ? 1 : 0;
      if (!highest_received || gre::SequenceAfter(header->sequence, *highest_received)) {
        highest_received = header->sequence;
      }
    }
    const Octets payload = packet.subspan(
        gre::HeaderLen(*header),
        header->has_sequence ? header->payload_len : packet.size() - gre::HeaderLen(*header));
    return GrePacket{*header, {payload.begin(), payload.end()}, {packet.begin(), packet.end()}};
  }
}

}  // namespace culvert::load::conformance
