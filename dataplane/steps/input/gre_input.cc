#include <rte_prefetch.h>

#include "dataplane/steps/steps.h"
#include "proto/wire/gre.h"

namespace culvert::dataplane {
namespace {

DropReason ReasonOf(wire::gre::Error error) {
  switch (error) {
    case wire::gre::Error::kTruncated:
      return DropReason::gre_truncated;
    case wire::gre::Error::kBadFlags:
      return DropReason::gre_flags;
    case wire::gre::Error::kBadProtocol:
      return DropReason::gre_protocol;
    case wire::gre::Error::kBadLength:
      break;
  }
  return DropReason::gre_length;
}

}  // namespace

// RFC 2637 s4.1. The next stage begins at the call, which is fetched from here on.
Verdict GreInputStep(Packet& packet, WorkerContext& context) {
  const auto header = wire::gre::Parse(packet.payload());
  if (!header) {
    return Verdict::Drop(ReasonOf(header.error()));
  }
  if (!header->has_sequence && !header->has_ack) {
    return Verdict::Drop(DropReason::gre_empty);
  }
  packet.call_index |= header->call_id;
  packet.has_sequence = header->has_sequence;
  packet.has_ack = header->has_ack;
  packet.sequence = header->sequence;
  packet.ack = header->ack;
  packet.offset = static_cast<uint16_t>(packet.offset + wire::gre::HeaderLen(*header));
  packet.length = header->has_sequence ? header->payload_len : 0;
  rte_prefetch0(&context.calls->At(packet.call_index));
  return Verdict::GoTo(Stage::kUpstream);
}

}  // namespace culvert::dataplane
