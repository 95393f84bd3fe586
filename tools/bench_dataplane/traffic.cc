#include "tools/bench_dataplane/traffic.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "proto/wire/ppp.h"
#include "tools/bench_dataplane/frames.h"

namespace culvert::bench {

using dataplane::Bytes;
using dataplane::Ip;
using dataplane::Rig;
using dataplane::RouteTarget;

namespace {

constexpr uint32_t kClientRouter = Ip(192, 0, 2, 1);
constexpr uint32_t kCoreRouter = Ip(198, 51, 100, 1);
constexpr size_t kPppLen = 4;   // FF 03 and the protocol field
constexpr size_t kMppeLen = 4;  // header and inner protocol field

bool Said(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
  }
  return status.ok();
}

}  // namespace

Rig::Options Traffic::RigOptions(const TrafficSpec& spec) {
  Rig::Options options;
  options.num_mbufs = 8191;
  options.ring_size = 16384;
  options.max_local_addresses = 16;
  options.max_routes = dataplane::DatapathSpec{}.max_routes;
  return options;
}

Traffic::Traffic(const TrafficSpec& spec, Rig* rig)
    : spec_(spec),
      rig_(rig),
      clients_(spec.num_calls),
      inner_(dataplane::MakeIpv4({}, Bytes(spec.size - kIpLen, 0x5a))),
      outer_(dataplane::MakeIpv4({0, 0, wire::gre::kIpProtocol}, {})) {
  ok_ = sealer_.ok() && MakeRoutes();
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
  bool ok = Said(path.SetRoute(0, 0, core)) && Said(path.SetRoute(Ip(172, 0, 0, 0), 8, clients)) &&
            Said(path.SetRoute(Ip(10, 0, 0, 0), 8, {RouteTarget::Kind::kClients, 0, 0}));
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
  client.outer = Ip(172, 16, 0, 0) + (spec_.one_peer ? 1 : i);
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
    sealer_.Start(&client.seal, key.start_key);
  }
  return Said(rig_->datapath().Upsert(spec).status());
}

void Traffic::Fill(std::span<rte_mbuf* const> mbufs) {
  for (rte_mbuf* mbuf : mbufs) {
    FillOne(Random(spec_.num_calls), mbuf);
  }
  Finish();
}

void Traffic::FillOne(unsigned call, rte_mbuf* mbuf) {
  Client& client = clients_[call];
  const uint32_t server = destinations_[random_() % destinations_.size()];
  const size_t ppp_len = kPppLen + (spec_.mppe ? kMppeLen : 0);
  const size_t inner_at = spec_.upstream ? kPppOffset + ppp_len : kEthernetLen;
  auto* at = reinterpret_cast<uint8_t*>(
      rte_pktmbuf_append(mbuf, static_cast<uint16_t>(inner_at + spec_.size)));
  WriteEthernet(at, rig_->ports()[input_port()].mac, Rig::PeerMac(input_port()));
  uint8_t* inner = at + inner_at;
  std::memcpy(inner, inner_.data(), inner_.size());
  SetAddresses(inner, spec_.upstream ? client.inner : server,
               spec_.upstream ? server : client.inner);
  if (spec_.upstream) {
    FillUpstream(&client, at);
  }
}

// FillUpstream writes what goes before the inner packet, and has that encrypted.
void Traffic::FillUpstream(Client* client, uint8_t* frame) {
  wire::gre::Header gre;
  gre.call_id = client->call_id;
  gre.has_sequence = true;
  gre.sequence = client->sequence++;
  gre.payload_len = static_cast<uint16_t>(kPppLen + (spec_.mppe ? kMppeLen : 0) + spec_.size);
  uint8_t* outer = frame + kEthernetLen;
  std::memcpy(outer, outer_.data(), kIpLen);
  wire::StoreBe16(outer + 2, static_cast<uint16_t>(kIpLen + kGreLen + gre.payload_len));
  SetAddresses(outer, client->outer, client->local);
  wire::gre::Emit(gre, frame + kGreOffset);
  uint8_t* ppp = frame + kPppOffset;
  wire::StoreBe16(ppp, 0xff03);
  wire::StoreBe16(ppp + 2, spec_.mppe ? wire::ppp::kMppe : wire::ppp::kIpv4);
  if (spec_.mppe) {
    wire::StoreBe16(ppp + 6, wire::ppp::kIpv4);
    wire::StoreBe16(ppp + 4,
                    sealer_.Seal(&client->seal, ppp + 6, static_cast<uint16_t>(2 + spec_.size)));
  }
}

}  // namespace culvert::bench
