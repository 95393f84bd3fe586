// GreSocket: enhanced GRE through the kernel, for calls from many local addresses: one raw socket
// that receives and sends many packets a system call. One thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "proto/wire/gre.h"
#include "tools/load/tunnel/tunnels.h"

namespace culvert::load {

class GreSocket {
 public:
  static constexpr unsigned kMax = 64;     // packets a system call
  static constexpr size_t kMaxLen = 2048;  // of an IPv4 packet
  static constexpr size_t kIpLen = 20;

  struct Arrival {
    uint32_t source = 0, destination = 0;  // host order
    wire::gre::Header gre;
    std::span<uint8_t> ppp;  // empty: an acknowledgement alone; may be written to
  };
  struct Path {
    uint32_t source = 0, destination = 0;  // host order
  };

  GreSocket();
  ~GreSocket();
  GreSocket(const GreSocket&) = delete;
  GreSocket& operator=(const GreSocket&) = delete;

  // Open gives what is wrong, or an empty string.
  std::string Open();
  [[nodiscard]] int fd() const { return fd_; }

  // Receive takes at most kMax packets, which stay until the next Receive. Gives their number as
  // they came; what is no enhanced GRE is not among arrivals().
  unsigned Receive();
  [[nodiscard]] std::span<Arrival> arrivals() { return std::span(arrivals_).first(num_arrivals_); }

  // Add gives room for `ppp_len` octets of a PPP frame (0: an acknowledgement alone), which Flush
  // sends. Only when not full().
  std::span<uint8_t> Add(const Path& path, const wire::gre::Header& header, size_t ppp_len);
  [[nodiscard]] bool full() const { return num_out_ == kMax; }
  [[nodiscard]] bool empty() const { return num_out_ == 0; }
  void Flush();
  // Suffer has what is sent from now on meet with faults; borrowed, nullptr: none.
  void Suffer(Faults* faults) { faults_ = faults; }
  // StartCapture writes the packets of one call, both ways, to `capture`; borrowed, nullptr: none.
  void StartCapture(Capture* capture, const Tunnels::Ends& wanted) {
    capture_ = capture;
    wanted_ = wanted;
  }
  // num_unsent: that the kernel did not take: full buffers, packets longer than the MTU.
  [[nodiscard]] uint64_t num_unsent() const { return num_unsent_; }

 private:
  void ApplyFaults();
  void Send(mmsghdr* headers, unsigned num);

  using Buffer = std::array<uint8_t, kMaxLen>;

  int fd_ = -1;
  std::vector<Buffer> in_, out_;
  std::array<iovec, kMax> in_vectors_{}, out_vectors_{};
  std::array<sockaddr_in, kMax> to_{};
  std::array<mmsghdr, kMax> in_headers_{}, out_headers_{};
  std::vector<mmsghdr> suffered_;
  Faults* faults_ = nullptr;
  Capture* capture_ = nullptr;
  Tunnels::Ends wanted_;
  std::array<Arrival, kMax> arrivals_;
  unsigned num_arrivals_ = 0, num_out_ = 0;
  uint64_t num_unsent_ = 0;
};

}  // namespace culvert::load
