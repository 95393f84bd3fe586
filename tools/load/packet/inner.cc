#include "tools/load/packet/inner.h"

#include <algorithm>

#include "proto/wire/byte_order.h"

namespace culvert::load {

using wire::LoadBe16;
using wire::LoadBe32;
using wire::StoreBe16;
using wire::StoreBe32;

namespace {

constexpr size_t kIpLen = 20;
constexpr uint8_t kVersionAndLen = 0x45, kTtl = 64, kUdp = 17;
constexpr uint16_t kDoNotFragment = 0x4000;

uint16_t HeaderChecksum(const uint8_t* header) {
  uint32_t sum = 0;
  for (size_t i = 0; i < kIpLen; i += 2) {
    sum += LoadBe16(header + i);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~(sum + (sum >> 16)));
}

}  // namespace

void EmitIpUdp(const IpUdp& addresses, std::span<uint8_t> packet) {
  uint8_t* ip = packet.data();
  std::fill_n(ip, kIpUdpLen, uint8_t{0});
  ip[0] = kVersionAndLen;
  StoreBe16(ip + 2, static_cast<uint16_t>(packet.size()));
  StoreBe16(ip + 6, kDoNotFragment);
  ip[8] = kTtl;
  ip[9] = kUdp;
  StoreBe32(ip + 12, addresses.source);
  StoreBe32(ip + 16, addresses.destination);
  StoreBe16(ip + 10, HeaderChecksum(ip));
  uint8_t* udp = ip + kIpLen;
  StoreBe16(udp, addresses.source_port);
  StoreBe16(udp + 2, addresses.destination_port);
  StoreBe16(udp + 4, static_cast<uint16_t>(packet.size() - kIpLen));
}

std::optional<std::span<const uint8_t>> ParseIpUdp(std::span<const uint8_t> packet,
                                                   const config::Endpoint& sink) {
  const size_t ip_len = packet.empty() ? 0 : (packet[0] & 0xfU) * 4;
  if (ip_len < kIpLen || packet.size() < ip_len + 8 || packet[0] >> 4 != 4 || packet[9] != kUdp ||
      LoadBe32(&packet[12]) != sink.address || LoadBe16(&packet[ip_len]) != sink.port ||
      LoadBe16(&packet[ip_len + 2]) != kProbePort) {
    return std::nullopt;
  }
  const size_t udp_len = LoadBe16(&packet[ip_len + 4]);
  if (udp_len < 8 || udp_len > packet.size() - ip_len) {
    return std::nullopt;
  }
  return packet.subspan(ip_len + 8, udp_len - 8);
}

}  // namespace culvert::load
