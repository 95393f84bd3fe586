// Capture: a pcap file of IPv4 packets, as tcpdump and Wireshark read it. One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace culvert::load {

class Capture {
 public:
  Capture() = default;
  ~Capture() { Close(); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Open gives what is wrong, or an empty string. A file that is there is replaced.
  std::string Open(const std::string& path);
  // Write adds a packet, from its IPv4 header on, with the time of the call.
  void Write(std::span<const uint8_t> packet);
  void Close();

 private:
  std::FILE* file_ = nullptr;
};

}  // namespace culvert::load
