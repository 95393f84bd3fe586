#include "dataplane/steps/ipv6/ipv6.h"

namespace culvert::dataplane {

// As mss_clamp. Only TCP right behind the IPv6 header: a SYN with extension headers is not seen in
// practice, and walking them for every packet costs more than it gives.
Verdict MssClamp6Step(Packet& packet, WorkerContext& context) {
  constexpr uint16_t kHeadersLen = 60;  // IPv6 and TCP without options
  const uint16_t mtu = packet.call->mtu;
  if (packet.ip.protocol == wire::ip6::kTcp && mtu > kHeadersLen) {
    wire::ip::ClampSegmentMss(
        {packet.data() + wire::ip6::kHeaderLen, packet.ip.total_len - wire::ip6::kHeaderLen},
        static_cast<uint16_t>(mtu - kHeadersLen));
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
