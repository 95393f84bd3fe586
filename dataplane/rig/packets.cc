#include "dataplane/rig/packets.h"

#include "proto/wire/byte_order.h"
#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

Bytes Hex(std::string_view digits) {
  auto value = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  Bytes bytes;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ') {
      continue;
    }
    if (high < 0) {
      high = value(c);
    } else {
      bytes.push_back(static_cast<uint8_t>(high << 4 | value(c)));
      high = -1;
    }
  }
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes MakeIpv4(const Ipv4Spec& spec, const Bytes& payload) {
  const size_t header_len = wire::ip::kIpv4HeaderLen + spec.options.size();
  Bytes header(wire::ip::kIpv4HeaderLen);
  header = std::move(header) + spec.options;
  header[0] = static_cast<uint8_t>(0x40 | header_len / 4);
  wire::StoreBe16(&header[2], static_cast<uint16_t>(header_len + payload.size()));
  wire::StoreBe16(&header[4], spec.id);
  wire::StoreBe16(&header[6], spec.fragment);
  header[8] = spec.ttl;
  header[9] = spec.protocol;
  wire::StoreBe32(&header[12], spec.source);
  wire::StoreBe32(&header[16], spec.destination);
  wire::StoreBe16(&header[10], wire::ip::Checksum(header));
  return std::move(header) + payload;
}

Bytes MakeTcpSyn(uint32_t source, uint32_t destination, uint16_t mss) {
  Bytes tcp = Hex("c000 0050 12345678 00000000 6002 faf0 0000 0000 0204 0000");
  wire::StoreBe16(&tcp[22], mss);
  Bytes pseudo(12);
  wire::StoreBe32(&pseudo[0], source);
  wire::StoreBe32(&pseudo[4], destination);
  pseudo[9] = 6;
  wire::StoreBe16(&pseudo[10], static_cast<uint16_t>(tcp.size()));
  wire::StoreBe16(&tcp[16], wire::ip::Checksum(pseudo + tcp));
  return tcp;
}

Bytes MakeGre(wire::gre::Header header, const Bytes& payload) {
  header.payload_len = static_cast<uint16_t>(payload.size());
  Bytes gre(wire::gre::HeaderLen(header));
  wire::gre::Emit(header, gre.data());
  return std::move(gre) + payload;
}

Bytes MakeEthernet(const MacAddress& destination, const MacAddress& source, uint16_t type,
                   const Bytes& payload) {
  Bytes frame(destination.begin(), destination.end());
  frame.insert(frame.end(), source.begin(), source.end());
  frame.push_back(static_cast<uint8_t>(type >> 8));
  frame.push_back(static_cast<uint8_t>(type));
  return std::move(frame) + payload;
}

}  // namespace culvert::dataplane
