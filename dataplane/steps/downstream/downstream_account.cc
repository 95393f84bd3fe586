#include "dataplane/steps/steps.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// RFC 2866 s5.4 counts octets sent. From here the packet is PPP information.
Verdict DownstreamAccountStep(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  Add(&call.more().downstream_packets, 1);
  Add(&call.more().downstream_octets, packet.ip.total_len);
  packet.protocol = wire::ppp::kIpv4;
  return call.encrypts != 0 ? Verdict::GoTo(Stage::kEncrypt) : Verdict::Next();
}

}  // namespace culvert::dataplane
