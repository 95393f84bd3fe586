// The IPv4 and UDP headers of probes inside tunnels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "proto/config/address/address.h"

namespace culvert::load {

constexpr size_t kIpUdpLen = 20 + 8;
constexpr uint16_t kProbePort = 5010;  // of the calls' side

struct IpUdp {
  uint32_t source = 0, destination = 0;  // host order
  uint16_t source_port = 0, destination_port = 0;
};

// EmitIpUdp writes both headers to the front of `packet`, the whole of which they describe; it has
// at least kIpUdpLen octets. UDP's checksum is left out (RFC 768): probes have their own.
void EmitIpUdp(const IpUdp& addresses, std::span<uint8_t> packet);

// ParseIpUdp gives the payload of a packet from `sink` to kProbePort.
[[nodiscard]] std::optional<std::span<const uint8_t>> ParseIpUdp(std::span<const uint8_t> packet,
                                                                 const config::Endpoint& sink);

}  // namespace culvert::load
