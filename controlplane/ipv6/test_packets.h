// Octets for the tests of this folder. Only for tests.
#pragma once

#include <string>
#include <vector>

#include "controlplane/ipv6/link_packet.h"
#include "proto/config/address/address6.h"
#include "tests/vectors/vectors.h"

namespace culvert::ipv6::testing {

using Bytes = std::vector<uint8_t>;

// Hex reads hexadecimal text; blanks are ignored.
inline Bytes Hex(std::string text) {
  std::erase(text, ' ');
  return culvert::testing::FromHex(text);
}
inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline std::string HexOf(wire::Octets octets) { return culvert::testing::ToHex(octets); }

inline Address Ip6(const char* text) { return *config::ParseIpv6(text); }
inline config::Ipv6Prefix Prefix(const char* text) { return *config::ParsePrefix6(text); }

// Udp is a packet of a DHCPv6 client.
inline Bytes Udp(const Address& source, const Address& destination, const Bytes& message) {
  Bytes packet = EmitDhcp(source, destination, message);
  packet[40] = 0x02;  // the ports change places: the checksum stays
  packet[41] = 0x22;
  packet[42] = 0x02;
  packet[43] = 0x23;
  return packet;
}

}  // namespace culvert::ipv6::testing
