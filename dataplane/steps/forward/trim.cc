#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// What lies beyond the IP total length is the link's padding (RFC 894), no part of the packet.
Verdict TrimStep(Packet& packet, WorkerContext& context) {
  rte_pktmbuf_trim(packet.mbuf(), static_cast<uint16_t>(packet.data_len() - packet.ip.total_len));
  return Verdict::Next();
}

}  // namespace culvert::dataplane
