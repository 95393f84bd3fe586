#include "dataplane/rig/call_rig.h"

#include <cstdio>
#include <cstdlib>

#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

CallRig::CallRig(const Options& options) : Rig(options) {
  Datapath& path = datapath();
  const RouteTarget local{RouteTarget::Kind::kLocal, 0, 0};
  bool ok = path.SetRoute(Ip(10, 99, 0, 0), 24, {RouteTarget::Kind::kAdjacency, 0, 0}).ok();
  ok = ok && path.SetRoute(kLocal, 32, local).ok();
  ok = ok && path.SetRoute(Ip(198, 51, 100, 0), 24, {RouteTarget::Kind::kAdjacency, 1, 0}).ok();
  ok = ok && path.SetRoute(0, 0, {RouteTarget::Kind::kAdjacency, 1, kRouter}).ok();
  ok = ok && path.SetRoute(Ip(10, 77, 0, 0), 24, {RouteTarget::Kind::kClients, 0, 0}).ok();
  ok = ok && path.SetRoute(kGateway, 32, local).ok();
  if (!ok) {
    std::abort();
  }
  path.own_addresses().SetIpv4(0, kLocal);
  path.own_addresses().SetIpv4(1, kEgress);
  path.own_addresses().SetIpv4(OwnAddresses::kClients, kGateway);
  path.SetNeighbour(0, kPeer, PeerMac(0));
  path.SetNeighbour(0, kPeer2, PeerMac(0));
  path.SetNeighbour(1, kRouter, PeerMac(1));
}

CallSpec CallRig::Spec() {
  CallSpec spec;
  spec.local_address = kLocal;
  spec.peer_address = kPeer;
  spec.call_id = kCallId;
  spec.peer_call_id = kPeerCallId;
  spec.client_address = kClient;
  return spec;
}

CallSpec CallRig::Spec2() {
  CallSpec spec = Spec();
  spec.peer_address = kPeer2;
  spec.call_id = kCallId + 1;
  spec.peer_call_id = kPeerCallId + 1;
  spec.client_address = kClient2;
  return spec;
}

uint64_t CallRig::Program(const CallSpec& spec) {
  const auto handle = datapath().Upsert(spec);
  if (!handle.ok()) {
    std::fprintf(stderr, "%s\n", handle.status().ToString().c_str());
    std::abort();
  }
  return *handle;
}

void CallRig::UpstreamAt(uint32_t sequence, const Bytes& ppp, unsigned queue) {
  wire::gre::Header header;
  header.call_id = kCallId;
  header.has_sequence = true;
  header.sequence = sequence;
  ReceiveIpv4(0, MakeIpv4({kPeer, kLocal, wire::gre::kIpProtocol}, MakeGre(header, ppp)), queue);
}

Bytes CallRig::PacketToServer(size_t payload_len) {
  return MakeIpv4({kClient, kServer}, Bytes(payload_len, 0x5a));
}

Bytes CallRig::PacketToClient(size_t payload_len) {
  return MakeIpv4({kServer, kClient}, Bytes(payload_len, 0xa5));
}

TunnelPacket ParseTunnel(const Bytes& frame) {
  TunnelPacket packet;
  packet.outer = WithoutEthernet(frame);
  const auto ip = wire::ip::ParseIpv4(packet.outer);
  if (!ip || ip->total_len != packet.outer.size()) {
    std::fprintf(stderr, "outer IPv4 header wrong\n");
    std::abort();
  }
  packet.ip = *ip;
  const auto payload = wire::Octets(packet.outer).subspan(ip->header_len);
  const auto gre = wire::gre::Parse(payload);
  if (!gre) {
    std::fprintf(stderr, "GRE header wrong\n");
    std::abort();
  }
  packet.gre = *gre;
  const auto ppp = payload.subspan(wire::gre::HeaderLen(*gre));
  packet.ppp.assign(ppp.begin(), ppp.end());
  return packet;
}

Bytes WithoutEthernet(const Bytes& frame) { return {frame.begin() + 14, frame.end()}; }

Bytes WithTtl(Bytes packet, uint8_t ttl) {
  const size_t header_len = static_cast<size_t>(packet[0] & 0x0f) * 4;
  packet[8] = ttl;
  wire::StoreBe16(&packet[10], 0);
  wire::StoreBe16(&packet[10], wire::ip::Checksum({packet.data(), header_len}));
  return packet;
}

}  // namespace culvert::dataplane
