#include "dataplane/steps/steps.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {

// RFC 791 s3.1. Without DF a narrow place on the way may fragment. The inner DSCP may be seen
// outside (RFC 2983), the inner ECN field not (RFC 6040 s4.1, compatibility mode).
Verdict OuterIpv4OutputStep(Packet& packet, WorkerContext& context) {
  constexpr uint8_t kTtl = 64;
  constexpr uint8_t kDscp = 0xfc;
  constexpr uint16_t kDontFragment = 0x4000;
  const Call& call = *packet.call;
  const auto total_len = static_cast<uint16_t>(packet.data_len() + wire::ip::kIpv4HeaderLen);
  uint8_t* at = packet.Prepend(wire::ip::kIpv4HeaderLen);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  const auto dscp =
      static_cast<uint8_t>(call.copy_dscp != 0 ? packet.ip.tos & kDscp : call.outer_dscp << 2);
  const uint16_t version = 0x4500 | dscp;
  const uint16_t id = context.next_ip_id++;
  const uint16_t fragment = call.dont_fragment != 0 ? kDontFragment : 0;
  constexpr uint16_t kTtlProtocol = kTtl << 8 | wire::gre::kIpProtocol;
  wire::StoreBe16(at, version);
  wire::StoreBe16(at + 2, total_len);
  wire::StoreBe16(at + 4, id);
  wire::StoreBe16(at + 6, fragment);
  wire::StoreBe16(at + 8, kTtlProtocol);
  uint16_t checksum = 0;  // left to the port
  if (context.tx_checksum) {
    packet.mbuf()->ol_flags |= kTxChecksumFlags;
  } else {
    const uint32_t words = uint32_t{version} + total_len + id + fragment + kTtlProtocol;
    checksum = wire::ip::MakeIpv4Checksum(words, call.local_address, call.peer_address);
  }
  wire::StoreBe16(at + 10, checksum);
  wire::StoreBe32(at + 12, call.local_address);
  wire::StoreBe32(at + 16, call.peer_address);
  packet.ip.destination = call.peer_address;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
