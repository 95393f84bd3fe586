// Packets for tests and benchmarks, from the inside out. Addresses in host order; checksums right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/datapath.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {

using Bytes = std::vector<uint8_t>;

// Hex takes digits, blanks are skipped.
Bytes Hex(std::string_view digits);
constexpr uint32_t Ip(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
Bytes operator+(Bytes a, const Bytes& b);

struct Ipv4Spec {
  uint32_t source = 0;
  uint32_t destination = 0;
  uint8_t protocol = 17;
  uint8_t ttl = 64;
  uint16_t id = 0;
  uint16_t fragment = 0;
  Bytes options = {};  // a multiple of 4 octets
};
Bytes MakeIpv4(const Ipv4Spec& spec, const Bytes& payload);
// MakeTcpSyn gives a TCP header with SYN and the option MSS, checksum right.
Bytes MakeTcpSyn(uint32_t source, uint32_t destination, uint16_t mss);
// MakeGre sets the header's payload_len.
Bytes MakeGre(wire::gre::Header header, const Bytes& payload);
Bytes MakeEthernet(const MacAddress& destination, const MacAddress& source, uint16_t type,
                   const Bytes& payload);

}  // namespace culvert::dataplane
