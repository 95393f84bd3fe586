#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// RFC 879, RFC 6691: a segment of either side must fit the way to the client, the narrower one.
Verdict MssClampStep(Packet& packet, WorkerContext& context) {
  constexpr uint16_t kHeadersLen = 40;  // IPv4 and TCP without options
  const uint16_t mtu = packet.call->mtu;
  if (mtu > kHeadersLen) {
    wire::ip::ClampTcpMss({packet.data(), packet.data_len()}, packet.ip,
                          static_cast<uint16_t>(mtu - kHeadersLen));
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
