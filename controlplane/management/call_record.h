// CallRecord: what operators are shown of a call, in a compact form: there may be a million.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/grants.h"
#include "controlplane/filters/filter_hold.h"
#include "controlplane/ppp/call.h"
#include "culvert/management/v1/management.pb.h"

namespace culvert {

struct CallRecord {
  uint64_t id = 0;      // unique for the life of the system; not 0
  uint64_t handle = 0;  // the data plane's; 0: not known yet. Counters come by it
  ppp::Phase phase = ppp::Phase::kEstablish;
  std::string user;             // empty: none yet; any octets
  uint32_t peer_address = 0;    // outer, host order
  uint32_t local_address = 0;   // outer, host order
  uint32_t client_address = 0;  // inner, host order; 0: none yet
  uint16_t call_id = 0;
  uint16_t peer_call_id = 0;
  std::optional<AuthMethod> auth;
  uint16_t mppe_bits = 0;                                   // 0: none
  uint64_t ipv6_interface_id = 0;                           // the client's (RFC 5072); 0: no IPv6
  std::optional<config::Ipv6Prefix> ipv6_prefix;            // of the link
  std::optional<config::Ipv6Prefix> ipv6_delegated_prefix;  // while the client has it (DHCPv6)
  FilterHold filter;                                        // null: none
  int64_t started_ms = 0;                                   // since 1970
  std::string end_reason;                                   // with a DOWN event
  std::shared_ptr<const PeerNames> names = {};              // null: none
  std::shared_ptr<const AccountingMarks> marks = {};        // null: none

  // nas_port is NAS-Port (RFC 2865 s5.5): the call's place in the data plane's table.
  [[nodiscard]] uint32_t nas_port() const { return static_cast<uint32_t>(handle); }
};

// CallTraffic: totals of a call and its rates over the last counter round.
struct CallTraffic {
  uint64_t upstream_packets = 0, upstream_octets = 0;
  uint64_t downstream_packets = 0, downstream_octets = 0;
  uint64_t drops = 0;
  uint64_t upstream_bps = 0, downstream_bps = 0;
};

// HomeOf: calls of different shards have different ones (kNumHomes is a multiple of how many shards
// there are, mostly), and what is kept by it is written by one thread: a lock that nobody else
// wants costs a tenth of one that another core had. MakeCallId puts that of a Call ID into an id.
constexpr size_t kNumHomes = 16;
[[nodiscard]] constexpr size_t HomeOf(uint64_t id) { return id % kNumHomes; }
[[nodiscard]] constexpr uint64_t MakeCallId(uint64_t random, uint16_t call_id) {
  return (random & ~uint64_t{kNumHomes - 1}) | call_id % kNumHomes;
}

// FormatCallId: 16 hex digits. ParseCallId takes exactly these, in either case.
[[nodiscard]] std::string FormatCallId(uint64_t id);
[[nodiscard]] std::optional<uint64_t> ParseCallId(std::string_view text);

// PhaseName: establish, authenticate, network, open, terminate.
[[nodiscard]] const char* PhaseName(ppp::Phase phase);
// AuthMethodName: pap, chap-md5, mschap, mschap-v2, eap, as in the configuration.
[[nodiscard]] const char* AuthMethodName(AuthMethod method);

// ToProto makes the message of the management API. What of a user's name is not printable ASCII
// is escaped: names come from peers, strings of protobuf are UTF-8, and terminals obey escapes.
[[nodiscard]] management::v1::Call ToProto(const CallRecord& record, const CallTraffic& traffic,
                                           int64_t now_ms);

}  // namespace culvert
