#include "tools/bench_dataplane/traffic.h"

#include <rte_mbuf.h>

#include <cstdio>
#include <cstring>

#include "proto/wire/byte_order.h"
#include "proto/wire/gre.h"
#include "proto/wire/ip.h"

namespace culvert::bench {

using dataplane::Bytes;
using dataplane::Ip;
using dataplane::Rig;
using dataplane::RouteTarget;

namespace {

constexpr uint32_t kClientRouter = Ip(192, 0, 2, 1);
constexpr uint32_t kCoreRouter = Ip(198, 51, 100, 1);
constexpr size_t kEthernetLen = 14;
constexpr size_t kIpLen = 20;

bool Said(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
  }
  return status.ok();
}

// SetAddresses finishes a header of a template.
void SetAddresses(uint8_t* header, uint32_t source, uint32_t destination) {
  wire::StoreBe32(header + 12, source);
  wire::StoreBe32(header + 16, destination);
  wire::StoreBe16(header + 10, 0);
  wire::StoreBe16(header + 10, wire::ip::Checksum({header, kIpLen}));
}

}  // namespace

Traffic::Traffic(const TrafficSpec& spec, Rig* rig)
    : spec_(spec),
      rig_(rig),
      sha1_(dataplane::mppe::Sha1::Create()),
      clients_(spec.num_calls),
      inner_(dataplane::MakeIpv4({}, Bytes(spec.size - kIpLen, 0x5a))),
      outer_(dataplane::MakeIpv4({0, 0, wire::gre::kIpProtocol}, {})) {
  ok_ = MakeRoutes();
  for (unsigned i = 0; ok_ && i < spec.num_calls; ++i) {
    ok_ = MakeCall(i);
  }
}

bool Traffic::MakeRoutes() {
  dataplane::Datapath& path = rig_->datapath();
  path.SetNeighbour(0, kClientRouter, Rig::PeerMac(0));
  path.SetNeighbour(1, kCoreRouter, Rig::PeerMac(1));
  const RouteTarget core{RouteTarget::Kind::kAdjacency, 1, kCoreRouter};
  const RouteTarget clients{RouteTarget::Kind::kAdjacency, 0, kClientRouter};
  bool ok = Said(path.SetRoute(0, 0, core)) && Said(path.SetRoute(Ip(172, 0, 0, 0), 8, clients));
  for (unsigned i = 0; ok && i < kNumRoutes; ++i) {
    const uint32_t prefix = Ip(20, 0, 0, 0) + (random_() % (64U << 16) << 8);
    ok = Said(path.SetRoute(prefix, 24, core));
    destinations_.push_back(prefix | (1 + random_() % 254));
  }
  return ok;
}

bool Traffic::MakeCall(unsigned i) {
  Client& client = clients_[i];
  client.local = Ip(192, 168, 0, 1) + i / 65535;
  client.call_id = static_cast<uint16_t>(1 + i % 65535);
  client.outer = Ip(172, 16, 0, 0) + i;
  client.inner = Ip(10, 0, 0, 0) + i;
  dataplane::CallSpec spec;
  spec.local_address = client.local;
  spec.peer_address = client.outer;
  spec.call_id = client.call_id;
  spec.peer_call_id = static_cast<uint16_t>(i);
  spec.client_address = client.inner;
  if (spec_.mppe) {
    dataplane::MppeKeySpec key;
    key.bits = 128;
    std::memcpy(key.start_key.data(), &i, sizeof(i));
    spec.receive = key;
    spec.send = key;
    spec.require_encryption = true;
    client.mppe.start_key = key.start_key;
    client.mppe.bits = key.bits;
    client.mppe.session_key = dataplane::mppe::FirstKey(*sha1_, key.start_key, key.bits);
  }
  return Said(rig_->datapath().Upsert(spec).status());
}

void Traffic::Fill(rte_mbuf* mbuf) {
  Client& client = clients_[random_() % clients_.size()];
  const uint32_t server = destinations_[random_() % destinations_.size()];
  const size_t tunnel_len = spec_.upstream ? kIpLen + 12 + (spec_.mppe ? 8 : 4) : 0;
  auto* at = reinterpret_cast<uint8_t*>(
      rte_pktmbuf_append(mbuf, static_cast<uint16_t>(kEthernetLen + tunnel_len + spec_.size)));
  const dataplane::MacAddress& own = rig_->ports()[input_port()].mac;
  const dataplane::MacAddress peer = Rig::PeerMac(input_port());
  std::memcpy(at, own.data(), own.size());
  std::memcpy(at + 6, peer.data(), peer.size());
  wire::StoreBe16(at + 12, 0x0800);
  uint8_t* inner = at + kEthernetLen + tunnel_len;
  std::memcpy(inner, inner_.data(), inner_.size());
  SetAddresses(inner, spec_.upstream ? client.inner : server,
               spec_.upstream ? server : client.inner);
  if (spec_.upstream) {
    FillUpstream(&client, at + kEthernetLen);
  }
}

// FillUpstream writes what goes before the inner packet, and encrypts that.
void Traffic::FillUpstream(Client* client, uint8_t* at) {
  wire::gre::Header gre;
  gre.call_id = client->call_id;
  gre.has_sequence = true;
  gre.sequence = client->sequence++;
  gre.payload_len = static_cast<uint16_t>((spec_.mppe ? 8 : 4) + spec_.size);
  std::memcpy(at, outer_.data(), kIpLen);
  wire::StoreBe16(at + 2, static_cast<uint16_t>(kIpLen + 12 + gre.payload_len));
  SetAddresses(at, client->outer, client->local);
  at += kIpLen;
  at += wire::gre::Emit(gre, at);
  wire::StoreBe16(at, 0xff03);
  wire::StoreBe16(at + 2, spec_.mppe ? 0x00fd : 0x0021);
  if (spec_.mppe) {
    wire::StoreBe16(at + 6, 0x0021);
    wire::StoreBe16(at + 4, dataplane::mppe::Seal(*sha1_, &client->mppe, {at + 6, 2 + spec_.size}));
  }
}

}  // namespace culvert::bench
