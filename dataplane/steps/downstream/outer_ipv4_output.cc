#include "dataplane/steps/steps.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {

// RFC 791 s3.1. DF stays clear: a narrow place on the way may fragment.
Verdict OuterIpv4OutputStep(Packet& packet, WorkerContext& context) {
  constexpr uint8_t kTtl = 64;
  const auto total_len = static_cast<uint16_t>(packet.data_len() + wire::ip::kIpv4HeaderLen);
  uint8_t* at = packet.Prepend(wire::ip::kIpv4HeaderLen);
  if (at == nullptr) {
    return Verdict::Drop(DropReason::headroom);
  }
  at[0] = 0x45;
  at[1] = 0;
  wire::StoreBe16(at + 2, total_len);
  wire::StoreBe16(at + 4, context.next_ip_id++);
  wire::StoreBe16(at + 6, 0);
  at[8] = kTtl;
  at[9] = wire::gre::kIpProtocol;
  wire::StoreBe16(at + 10, 0);
  wire::StoreBe32(at + 12, packet.call->local_address);
  wire::StoreBe32(at + 16, packet.call->peer_address);
  if (context.tx_checksum) {
    packet.mbuf()->ol_flags |= kTxChecksumFlags;
  } else {
    wire::StoreBe16(at + 10, wire::ip::Checksum({at, wire::ip::kIpv4HeaderLen}));
  }
  packet.ip.destination = packet.call->peer_address;
  return Verdict::Next();
}

}  // namespace culvert::dataplane
