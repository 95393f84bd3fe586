// Traffic: calls, routes, and packets for them, in random order of the calls.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "dataplane/mppe/send.h"
#include "dataplane/rig/rig.h"

namespace culvert::bench {

struct TrafficSpec {
  bool upstream = true;
  bool mppe = false;   // 128 bit
  unsigned size = 64;  // octets of the inner IP packet
  unsigned num_calls = 0;
};

constexpr unsigned kMaxCalls = 65535 * 16;
constexpr unsigned kNumRoutes = 10000;

class Traffic {
 public:
  // Traffic programs the calls and routes of `rig`, which it borrows. Port 0 faces the clients,
  // port 1 the Internet. False from ok(): something was refused; it has been said why.
  Traffic(const TrafficSpec& spec, dataplane::Rig* rig);
  [[nodiscard]] bool ok() const { return ok_; }

  [[nodiscard]] unsigned input_port() const { return spec_.upstream ? 0 : 1; }
  [[nodiscard]] unsigned output_port() const { return spec_.upstream ? 1 : 0; }

  // Fill makes `mbuf`, fresh from the pool, the next packet. Upstream ones are numbered and
  // encrypted as their call's client would.
  void Fill(rte_mbuf* mbuf);

 private:
  struct Client {
    uint32_t local = 0;
    uint32_t outer = 0;
    uint32_t inner = 0;
    uint16_t call_id = 0;
    uint32_t sequence = 0;
    dataplane::MppeState mppe{};
  };

  bool MakeRoutes();
  bool MakeCall(unsigned i);
  void FillUpstream(Client* client, uint8_t* at);

  TrafficSpec spec_;
  dataplane::Rig* rig_;
  std::unique_ptr<dataplane::mppe::Sha1> sha1_;
  std::vector<Client> clients_;
  std::vector<uint32_t> destinations_;
  dataplane::Bytes inner_;  // without addresses and checksum
  dataplane::Bytes outer_;  // header only, as well
  std::mt19937 random_{1};
  bool ok_;
};

}  // namespace culvert::bench
