// What comes with a user, from the users file or from RADIUS. What is absent is as the
// configuration says. Those who authenticate only fill this; the call applies it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/aaa/policy/session_ticket.h"
#include "controlplane/filters/filter_hold.h"
#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert::config {
inline bool operator==(const Ipv4Prefix& one, const Ipv4Prefix& other) {
  return one.address == other.address && one.length == other.length;
}
inline bool operator==(const Ipv4Range& one, const Ipv4Range& other) {
  return one.first == other.first && one.last == other.last;
}
}  // namespace culvert::config

namespace culvert {

enum class MppeGrant : uint8_t { kDeny, kAllow, kRequire };

// Ipv6Grants: RFC 3162, RFC 4818, RFC 6911.
struct Ipv6Grants {
  std::optional<std::array<uint8_t, 8>> interface_id;  // of the client
  std::optional<config::Ipv6Prefix> prefix;            // on the link, for SLAAC
  std::optional<config::Ipv6Prefix> delegated_prefix;
  std::string pool, delegated_pool;  // by name; empty: the default one
  std::vector<config::Ipv6Address> dns;
  std::vector<config::Ipv6Prefix> routes;

  bool operator==(const Ipv6Grants&) const = default;
};

// AccountingMarks: what a RADIUS server wants to see again in all accounting, octets as it gave
// them.
struct AccountingMarks {
  std::string chargeable_identity;  // RFC 4372; empty: none, and so is the other
  std::string ms_chap_domain;       // RFC 2548 s2.1.4
};

struct CallGrants {
  // Inner, host order; 0: from `pool`, or any pool when that is empty.
  uint32_t fixed_address = 0;
  std::string pool;
  // Where an address from a pool must lie; absent: anywhere; empty: the user gets none.
  std::optional<std::vector<config::Ipv4Range>> allowed_addresses;
  std::vector<config::Ipv4Prefix> routes;  // behind the client (RFC 2865 s5.22)
  std::vector<uint32_t> dns, wins;         // at most two each, host order; empty: as configured
  std::optional<uint16_t> mtu;             // Framed-MTU
  Ipv6Grants ipv6;

  std::optional<uint64_t> upstream_bps, downstream_bps;  // 0: no limit; absent: the listener's
  std::optional<uint32_t> session_timeout_s;             // 0: none
  std::optional<uint32_t> idle_timeout_s;                // 0: none
  std::optional<uint64_t> octet_quota;                   // both directions; 0: none
  std::optional<uint32_t> interim_interval_s;            // of accounting; 0: none
  std::optional<uint32_t> max_sessions;                  // of this user; Port-Limit; 0: any number
  std::optional<bool> replace_sessions;  // one too many: the oldest goes; false: is refused
  std::vector<config::Ipv4Prefix> allowed_sources;  // outer addresses to dial from; empty: any

  // These may tighten what the configuration says, never loosen it.
  std::optional<MppeGrant> mppe;
  std::optional<uint8_t> mppe_strengths;  // bits kMppe40, kMppe56, kMppe128
  static constexpr uint8_t kMppe40 = 1, kMppe56 = 2, kMppe128 = 4;

  std::vector<std::vector<uint8_t>> classes;  // Class: back to the server in all accounting
  std::string filter_id;                      // the packet filter's name, and for the hooks
  std::string filter_rules;  // NAS-Filter-Rule, until Admission has made `filter` of it
  FilterHold filter = {};    // null: none
  bool own_filter = false;   // it was granted to the user; else it is the default
  std::string address_lists;                  // Mikrotik-Address-List, for the hooks; with commas
  std::shared_ptr<const AccountingMarks> marks = {};  // null: none

  // Compares `marks` by which they are.
  bool operator==(const CallGrants&) const = default;
};

// Lease is what a call holds of the pools, to be given back when it ends.
struct Lease {
  uint32_t client_address = 0;  // inner, host order; 0: none
  std::optional<config::Ipv6Prefix> prefix, delegated_prefix;
  SessionTicket session = {};
};

}  // namespace culvert
