// CallWatch: what the worker's sweep looks after once a second (CallSpec::keepalive,
// idle_timeout_s, octet_quota). Only calls with kFeatureWatch have one.
#pragma once

#include <cstdint>

namespace culvert::dataplane {

struct CallWatch {
  uint64_t octet_quota;    // both directions; 0: none
  uint64_t seen_packets;   // of data in both directions, at the last visit
  uint32_t seen_sequence;  // the call's last_sound then
  uint32_t heard_ms;       // when the peer was last found to have sent something
  uint32_t active_ms;      // when data was last found
  uint32_t idle_timeout_s;
  uint32_t magic;       // ours, RFC 1661 s6.4; 0: none
  uint16_t interval_s;  // of silence before an Echo-Request; 0: only answer
  uint8_t misses;       // Echo-Requests without answer that end the call
  uint8_t sent;         // since heard_ms
  uint8_t echo_id;
  uint8_t told_dead : 1;  // events already reported
  uint8_t told_idle : 1;
  uint8_t told_quota : 1;
  uint8_t heard_reply : 1;  // an Echo-Reply came since the last visit
  uint8_t in_doubt : 1;     // somebody counts anew: is the peer still there?
  uint8_t asked;            // Echo-Requests sent in doubt
};
static_assert(sizeof(CallWatch) <= 64);

}  // namespace culvert::dataplane
