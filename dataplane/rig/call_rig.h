// CallRig: a Rig with the addresses that tests share: port 0 faces the clients, port 1 the
// Internet.
#pragma once

#include "dataplane/rig/rig.h"
#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

constexpr uint32_t kLocal = Ip(10, 99, 0, 1);  // we, as clients dial us
constexpr uint32_t kPeer = Ip(10, 99, 0, 2);   // the client, outside
constexpr uint32_t kPeer2 = Ip(10, 99, 0, 3);
constexpr uint32_t kGateway = Ip(10, 77, 0, 1);  // our address inside
constexpr uint32_t kClient = Ip(10, 77, 0, 10);  // the client, inside
constexpr uint32_t kClient2 = Ip(10, 77, 0, 11);
constexpr uint32_t kServer = Ip(192, 0, 2, 80);    // in the Internet
constexpr uint32_t kRouter = Ip(198, 51, 100, 1);  // the way to it
constexpr uint32_t kEgress = Ip(198, 51, 100, 2);  // our address on port 1
constexpr uint16_t kCallId = 0x2961;
constexpr uint16_t kPeerCallId = 0x0042;

class CallRig : public Rig {
 public:
  explicit CallRig(const Options& options);
  CallRig() : CallRig(Options{}) {}

  // Spec is a call without encryption; Spec2 another client's.
  static CallSpec Spec();
  static CallSpec Spec2();
  // Program makes or changes a call and gives its handle; it aborts on an error.
  uint64_t Program(const CallSpec& spec);

  // Upstream receives a GRE packet of the call from its peer; sequence numbers count up by
  // themselves from 0.
  void Upstream(const Bytes& ppp, unsigned queue = 0) { UpstreamAt(next_sequence_++, ppp, queue); }
  void UpstreamAt(uint32_t sequence, const Bytes& ppp, unsigned queue = 0);
  // Packet gives an inner packet of UDP from the client to the server, Reply one back.
  static Bytes PacketToServer(size_t payload_len = 32);
  static Bytes PacketToClient(size_t payload_len = 32);

 private:
  uint32_t next_sequence_ = 0;
};

// Gre is what a frame to a client is made of; parsing failures abort.
struct TunnelPacket {
  Bytes outer;  // from the IPv4 header
  wire::ip::Ipv4Header ip;
  wire::gre::Header gre;
  Bytes ppp;
};
TunnelPacket ParseTunnel(const Bytes& frame);

// Ethernet header off.
Bytes WithoutEthernet(const Bytes& frame);
Bytes WithTtl(Bytes packet, uint8_t ttl);  // checksum put right

}  // namespace culvert::dataplane
