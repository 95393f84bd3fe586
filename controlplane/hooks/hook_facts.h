// HookFacts: what hooks are told of a call, in the words of pppd and accel-ppp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/grants.h"

namespace culvert {

struct HookTotals {
  uint64_t connect_time_s = 0;
  uint64_t octets_sent = 0, octets_received = 0;  // as we see it: sent to the client
  uint64_t packets_sent = 0, packets_received = 0;
  std::string end_cause;
};

struct HookFacts {
  uint64_t call = 0;
  std::string user;                               // any octets
  uint32_t peer_address = 0, local_address = 0;   // outer, host order, and so are all here
  uint32_t client_address = 0, old_address = 0;   // inner; old_address 0: none
  uint64_t upstream_bps = 0, downstream_bps = 0;  // 0: no limit
  uint16_t mppe_bits = 0;
  std::vector<uint32_t> dns, wins;  // as the client is told
  std::optional<config::Ipv6Prefix> prefix, delegated_prefix;
  CallGrants grants;
  std::shared_ptr<const PeerNames> names = {};  // null: none
};

// HookPlace: what is the same for all calls.
struct HookPlace {
  std::string interface;  // through which the clients are reached
  uint32_t gateway = 0;   // our end of every call
};

// HookArguments: interface, "none" for the device, speed, our address, the client's, the client's
// outer address.
[[nodiscard]] std::vector<std::string> HookArguments(const HookPlace& place,
                                                     const HookFacts& facts);
// HookEnvironment gives "NAME=value"; `totals` at the end of a call. What a peer or a server chose
// is escaped: printable ASCII only.
[[nodiscard]] std::vector<std::string> HookEnvironment(const HookPlace& place,
                                                       const HookFacts& facts,
                                                       const HookTotals* totals);

}  // namespace culvert
