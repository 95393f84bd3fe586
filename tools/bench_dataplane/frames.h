// Headers of frames, written straight into an mbuf: packets.h would allocate for each.
#pragma once

#include <cstring>

#include "dataplane/rig/rig.h"
#include "proto/wire/byte_order.h"
#include "proto/wire/gre.h"
#include "proto/wire/ip/ip.h"

namespace culvert::bench {

constexpr size_t kEthernetLen = 14;
constexpr size_t kIpLen = 20;
constexpr size_t kGreOffset = kEthernetLen + kIpLen;  // in a frame of a tunnel
constexpr size_t kGreLen = 12;                        // with a sequence number, no acknowledgement
constexpr size_t kPppOffset = kGreOffset + kGreLen;

inline void WriteEthernet(uint8_t* at, const dataplane::MacAddress& destination,
                          const dataplane::MacAddress& source) {
  std::memcpy(at, destination.data(), destination.size());
  std::memcpy(at + 6, source.data(), source.size());
  wire::StoreBe16(at + 12, 0x0800);
}

// FinishIpv4 puts a header's checksum right.
inline void FinishIpv4(uint8_t* header) {
  wire::StoreBe16(header + 10, 0);
  wire::StoreBe16(header + 10, wire::ip::Checksum({header, kIpLen}));
}
inline void SetAddresses(uint8_t* header, uint32_t source, uint32_t destination) {
  wire::StoreBe32(header + 12, source);
  wire::StoreBe32(header + 16, destination);
  FinishIpv4(header);
}

}  // namespace culvert::bench
