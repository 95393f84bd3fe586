// UdpBatch: a UDP socket that receives and sends many datagrams a system call, and answers from the
// address that was asked. One thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace culvert::load {

class UdpBatch {
 public:
  static constexpr unsigned kMax = 64;     // datagrams a system call
  static constexpr size_t kMaxLen = 2048;  // of a datagram; longer ones are cut

  struct From {
    sockaddr_in peer;
    in_addr local;  // that it was sent to
  };

  UdpBatch();
  ~UdpBatch();
  UdpBatch(const UdpBatch&) = delete;
  UdpBatch& operator=(const UdpBatch&) = delete;

  // Open gives what is wrong, or an empty string. Host order.
  std::string Open(uint32_t address, uint16_t port);
  [[nodiscard]] int fd() const { return fd_; }

  // Receive gives how many have come, at most kMax; they stay until the next Receive.
  unsigned Receive();
  [[nodiscard]] std::span<const uint8_t> payload(unsigned i) const;
  [[nodiscard]] const From& from(unsigned i) const { return from_[i]; }

  // Add gives room for a datagram of `len` octets, which Flush sends; a full batch is sent first.
  std::span<uint8_t> Add(const From& to, size_t len);
  void Flush();
  [[nodiscard]] uint64_t num_unsent() const { return num_unsent_; }

 private:
  struct Message {
    std::array<uint8_t, kMaxLen> octets;
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> control;
    sockaddr_in peer;
    iovec vector;
  };

  int fd_ = -1;
  std::vector<Message> in_, out_;
  std::array<mmsghdr, kMax> in_headers_{}, out_headers_{};
  std::array<From, kMax> from_{};
  unsigned num_out_ = 0;
  uint64_t num_unsent_ = 0;
};

}  // namespace culvert::load
