#include "controlplane/ipv6/link_packet.h"

#include <algorithm>

namespace culvert::ipv6 {
namespace {

constexpr size_t kUdpHeaderLen = 8;
constexpr uint8_t kDhcpHopLimit = 64;

std::vector<uint8_t> EmitPacket(const Address& source, const Address& destination,
                                uint8_t hop_limit, uint8_t protocol,
                                const std::vector<uint8_t>& payload) {
  wire::ip6::Header header;
  header.next_header = protocol;
  header.hop_limit = hop_limit;
  header.payload_len = static_cast<uint16_t>(payload.size());
  header.source = source;
  header.destination = destination;
  std::vector<uint8_t> packet(wire::ip6::kHeaderLen);
  wire::ip6::Emit(header, packet.data());
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

}  // namespace

Address LinkLocal(uint64_t interface_id) {
  Address address{0xfe, 0x80};
  wire::StoreBe32(&address[8], static_cast<uint32_t>(interface_id >> 32));
  wire::StoreBe32(&address[12], static_cast<uint32_t>(interface_id));
  return address;
}

Address AllNodes() { return {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}; }
Address AllRouters() { return {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}; }
Address AllDhcpServers() { return {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}; }
Address SolicitedNode(const Address& address) {
  Address group{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy(address.begin() + 13, address.end(), group.begin() + 13);
  return group;
}

tl::expected<LinkPacket, LinkError> ParseLinkPacket(wire::Octets in) {
  const auto header = wire::ip6::Parse(in);
  if (!header) {
    return tl::unexpected(LinkError::kBadHeader);
  }
  LinkPacket packet;
  packet.source = header->source;
  packet.destination = header->destination;
  packet.hop_limit = header->hop_limit;
  packet.protocol = header->next_header;
  wire::Octets upper = in.subspan(wire::ip6::kHeaderLen, header->payload_len);
  const bool is_udp = packet.protocol == wire::ip6::kUdp;
  if (!is_udp && packet.protocol != wire::ip6::kIcmp) {
    return tl::unexpected(LinkError::kBadProtocol);
  }
  if (upper.size() < (is_udp ? kUdpHeaderLen : 4)) {
    return tl::unexpected(LinkError::kTruncated);
  }
  if (is_udp) {
    const uint16_t len = wire::LoadBe16(&upper[4]);
    if (len < kUdpHeaderLen || len > upper.size()) {
      return tl::unexpected(LinkError::kTruncated);
    }
    upper = upper.first(len);
    if (wire::LoadBe16(&upper[6]) == 0) {
      return tl::unexpected(LinkError::kBadChecksum);
    }
    packet.source_port = wire::LoadBe16(&upper[0]);
    packet.destination_port = wire::LoadBe16(&upper[2]);
  }
  if (wire::ip6::Checksum(packet.source, packet.destination, packet.protocol, upper) != 0) {
    return tl::unexpected(LinkError::kBadChecksum);
  }
  packet.payload = is_udp ? upper.subspan(kUdpHeaderLen) : upper;
  return packet;
}

std::vector<uint8_t> EmitIcmp(const Address& source, const Address& destination,
                              std::vector<uint8_t> message) {
  wire::StoreBe16(&message[2], 0);
  wire::StoreBe16(&message[2], wire::ip6::Checksum(source, destination, wire::ip6::kIcmp, message));
  return EmitPacket(source, destination, kLinkHopLimit, wire::ip6::kIcmp, message);
}

std::vector<uint8_t> EmitDhcp(const Address& source, const Address& destination,
                              wire::Octets message) {
  std::vector<uint8_t> udp(kUdpHeaderLen);
  wire::StoreBe16(&udp[0], kDhcpServerPort);
  wire::StoreBe16(&udp[2], kDhcpClientPort);
  wire::StoreBe16(&udp[4], static_cast<uint16_t>(kUdpHeaderLen + message.size()));
  udp.insert(udp.end(), message.begin(), message.end());
  const uint16_t checksum = wire::ip6::Checksum(source, destination, wire::ip6::kUdp, udp);
  wire::StoreBe16(&udp[6], checksum == 0 ? 0xffff : checksum);
  return EmitPacket(source, destination, kDhcpHopLimit, wire::ip6::kUdp, udp);
}

}  // namespace culvert::ipv6
