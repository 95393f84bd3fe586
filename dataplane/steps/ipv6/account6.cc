#include "dataplane/steps/ipv6/ipv6.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// As upstream_account; IPv4 and IPv6 of a call are counted together (RFC 2866 s5.3).
Verdict UpstreamAccount6Step(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  Add(&call.upstream_packets, 1);
  Add(&call.upstream_octets, packet.ip.total_len);
  return Verdict::GoTo(Stage::kRoute6);
}

// As downstream_account. From here the packet is PPP information (RFC 5072 s3).
Verdict DownstreamAccount6Step(Packet& packet, WorkerContext& context) {
  Call& call = *packet.call;
  Add(&call.more().downstream_packets, 1);
  Add(&call.more().downstream_octets, packet.ip.total_len);
  packet.protocol = wire::ppp::kIpv6;
  return call.encrypts != 0 ? Verdict::GoTo(Stage::kEncrypt) : Verdict::Next();
}

}  // namespace culvert::dataplane
