// Traffic: calls, routes, and packets for them, in random order of the calls.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "dataplane/rig/rig.h"
#include "tools/bench_dataplane/sealer.h"

namespace culvert::bench {

struct TrafficSpec {
  bool upstream = true;
  bool mppe = false;   // 128 bit
  unsigned size = 64;  // octets of the inner IP packet
  unsigned num_calls = 0;
  bool one_peer = false;  // all calls from one outer address, as behind a NAT
};

constexpr unsigned kMaxCalls = 65535 * 16;
constexpr unsigned kNumRoutes = 10000;

// Client: one call, seen from outside.
struct Client {
  uint32_t local = 0;
  uint32_t outer = 0;
  uint32_t inner = 0;
  uint16_t call_id = 0;
  uint32_t sequence = 0;
  SealState seal;
};

class Traffic {
 public:
  // Traffic programs the calls and routes of `rig`, which it borrows. Port 0 faces the clients,
  // port 1 the Internet. False from ok(): something was refused; it has been said why.
  Traffic(const TrafficSpec& spec, dataplane::Rig* rig);
  [[nodiscard]] bool ok() const { return ok_; }

  // RigOptions: what a Rig for such traffic needs.
  static dataplane::Rig::Options RigOptions(const TrafficSpec& spec);

  [[nodiscard]] unsigned input_port() const { return spec_.upstream ? 0 : 1; }
  [[nodiscard]] unsigned output_port() const { return spec_.upstream ? 1 : 0; }
  [[nodiscard]] unsigned num_calls() const { return spec_.num_calls; }

  // Fill makes `mbufs`, fresh from the pool, the next packets. Upstream ones are numbered and
  // encrypted as their call's client would.
  void Fill(std::span<rte_mbuf* const> mbufs);
  // FillOne makes one packet of a given call; upstream ones with MPPE are encrypted by Finish().
  void FillOne(unsigned call, rte_mbuf* mbuf);
  void Finish() { sealer_.Flush(); }
  [[nodiscard]] Client& client(unsigned call) { return clients_[call]; }
  // TurnDownstream: from here on packets go to the clients.
  void TurnDownstream() { spec_.upstream = false; }
  // OwnOctets is what this object itself holds for its calls.
  [[nodiscard]] size_t OwnOctets() const { return clients_.capacity() * sizeof(Client); }
  // Random gives a number below `n`.
  uint32_t Random(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

 private:
  bool MakeRoutes();
  bool MakeCall(unsigned i);
  void FillUpstream(Client* client, uint8_t* at);

  TrafficSpec spec_;
  dataplane::Rig* rig_;
  Sealer sealer_;
  std::vector<Client> clients_;
  std::vector<uint32_t> destinations_;
  dataplane::Bytes inner_;  // without addresses and checksum
  dataplane::Bytes outer_;  // header only, as well
  std::mt19937 random_{1};
  bool ok_;
};

}  // namespace culvert::bench
