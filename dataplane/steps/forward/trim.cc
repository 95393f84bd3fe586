#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// What lies beyond the IP total length is the link's padding (RFC 894), no part of the packet.
Verdict TrimStep(Packet& packet, WorkerContext& context) {
  packet.Cut(packet.ip.total_len);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
