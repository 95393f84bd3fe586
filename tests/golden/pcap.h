// The captures of real sessions, made readable: pcap files, IP fragments, TCP streams. Only for
// tests, and only as much as these captures need.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <vector>

#include "proto/wire/cursor.h"

namespace culvert::testing {

// CapturedPacket is one record of a pcap file without its link header.
struct CapturedPacket {
  uint64_t time_us = 0;       // since 1970
  uint16_t ether_type = 0;    // 0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP
  std::vector<uint8_t> data;  // IP packet; may have link padding at the end
};

// ReadPcap reads a little-endian microsecond pcap file of Ethernet or Linux cooked (SLL) packets.
// The error names the file and what is wrong with it.
tl::expected<std::vector<CapturedPacket>, std::string> ReadPcap(const std::string& path);

// Ipv4Reassembler puts fragments together, whatever their order.
class Ipv4Reassembler {
 public:
  // Add gives the whole datagram (padding cut; of fragments: header of the first, its total
  // length, fragment field and checksum put right) as soon as it is there. nullopt for a
  // fragment of an incomplete one and for what is no IPv4.
  std::optional<std::vector<uint8_t>> Add(wire::Octets packet);

 private:
  struct Datagram {
    std::vector<uint8_t> header;
    std::map<size_t, std::vector<uint8_t>> parts;  // by offset
    std::optional<size_t> payload_len;             // known from the last fragment
  };
  using Key = std::tuple<uint32_t, uint32_t, uint16_t, uint8_t>;
  std::map<Key, Datagram> datagrams_;
};

// TcpStream is one direction of a TCP connection.
class TcpStream {
 public:
  // AddSegment takes a TCP header with what follows it; order and repeats do not matter.
  void AddSegment(wire::Octets tcp);
  // Bytes are the octets from the one after the SYN to the first gap.
  [[nodiscard]] std::vector<uint8_t> Bytes() const;
  // Complete: the SYN was seen and no octet is missing up to the last one seen.
  [[nodiscard]] bool Complete() const;

 private:
  std::optional<uint32_t> first_sequence_;  // of the first octet
  std::map<uint32_t, std::vector<uint8_t>> segments_;
};

// GrePacket is one outer datagram of IP protocol 47.
struct GrePacket {
  uint64_t time_us = 0;
  bool from_client = false;
  std::vector<uint8_t> ip;  // whole outer datagram, reassembled
  size_t ip_header_len = 0;
  [[nodiscard]] wire::Octets gre() const { return wire::Octets(ip).subspan(ip_header_len); }
};

// Session is one folder of tests/golden/captures.
struct Session {
  TcpStream control_from_client;
  TcpStream control_from_server;
  std::vector<GrePacket> gre;         // in the order of the capture, both directions
  std::vector<CapturedPacket> inner;  // inner.pcap; empty when there is none
};

// SessionNames lists the captures, sorted.
std::vector<std::string> SessionNames();
tl::expected<Session, std::string> LoadSession(const std::string& name);

}  // namespace culvert::testing
