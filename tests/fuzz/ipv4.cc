// IPv4 header checks, TTL and MSS clamp (RFC 1812 s5.2.2, RFC 1624). Input: the clamp's value in
// two octets, and a packet, whose header checksum is put right so that more gets through.
#include <vector>

#include "proto/wire/ip/ip.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Equal;
using culvert::fuzz::Require;
using culvert::wire::LoadBe16;
using culvert::wire::Octets;
using culvert::wire::StoreBe16;
namespace ip = culvert::wire::ip;

namespace {

// TcpSum is what the checksum over pseudo-header and segment comes to.
uint16_t TcpSum(const std::vector<uint8_t>& packet, const ip::Ipv4Header& header) {
  std::vector<uint8_t> octets(packet.begin() + 12, packet.begin() + 20);
  octets.insert(octets.end(), {0, header.protocol});
  octets.insert(octets.end(), packet.begin() + header.header_len,
                packet.begin() + header.total_len);
  return ip::Checksum(octets);
}

void CheckClamp(std::vector<uint8_t> packet, const ip::Ipv4Header& header, uint16_t mss) {
  const std::vector<uint8_t> before = packet;
  const uint16_t sum = TcpSum(packet, header);
  if (!ip::ClampTcpMss(packet, header, mss)) {
    Require(packet == before, "no change unless it says so");
    return;
  }
  int changed = 0;
  for (size_t i = 0; i < packet.size(); ++i) {
    changed += packet[i] != before[i] ? 1 : 0;
  }
  Require(changed <= 4, "only the value and the checksum change");
  Require(Equal(Octets(packet).first(header.header_len), Octets(before).first(header.header_len)),
          "the IP header stays");
  Require(TcpSum(packet, header) == sum, "a right checksum stays right, a wrong one wrong");
  Require(!ip::ClampTcpMss(packet, header, mss), "clamped once, it is low enough");
}

void Check(const std::vector<uint8_t>& packet, uint16_t mss) {
  const auto header = ip::ParseIpv4(packet);
  if (!header.has_value()) {
    return;
  }
  Require(header->header_len >= 20 && header->header_len <= header->total_len &&
              header->total_len <= packet.size(),
          "the lengths lie within the packet");
  CheckClamp(packet, *header, mss);
  if (header->ttl > 1) {
    std::vector<uint8_t> forwarded = packet;
    ip::DecrementTtl(forwarded.data());
    const auto again = ip::ParseIpv4(forwarded);
    Require(again.has_value() && again->ttl == header->ttl - 1, "the checksum follows the TTL");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) {
    return 0;
  }
  const uint16_t mss = LoadBe16(data);
  std::vector<uint8_t> packet(data + 2, data + size);
  Check(packet, mss);
  const size_t header_len = packet.empty() ? 0 : (packet[0] & 15u) * 4;
  if (header_len >= 20 && packet.size() >= header_len) {
    StoreBe16(&packet[10], 0);
    StoreBe16(&packet[10], ip::Checksum(Octets(packet).first(header_len)));
    Check(packet, mss);
  }
  return 0;
}
