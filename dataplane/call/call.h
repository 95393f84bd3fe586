// Call: a row of the call table. Plain octets without pointers, so that the table can outlive the
// process; a change of layout changes kCallTableVersion. The owning worker is the only
// writer; other threads read what the comments say, through Load().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/mppe/session_key.h"

namespace culvert::dataplane {

// Load and Store are relaxed unless told otherwise; they make plain fields safe to share.
template <typename T>
T Load(const T& field, std::memory_order order = std::memory_order_relaxed) {
  return std::atomic_ref<T>(const_cast<T&>(field)).load(order);
}
template <typename T>
void Store(T* field, T value, std::memory_order order = std::memory_order_relaxed) {
  std::atomic_ref<T>(*field).store(value, order);
}
// Add is for fields with one writer: no locked instruction.
inline void Add(uint64_t* field, uint64_t n) { Store(field, Load(*field) + n); }

// MppeState: one direction, one cache line.
struct MppeState {
  mppe::Key start_key;
  mppe::Key session_key;  // of the last frame
  uint32_t epoch;
  uint32_t position;         // of the next frame, from 0; its low 12 bits are the coherency count
  uint32_t last_sequence;    // receive: GRE number of the last frame accepted
  uint32_t num_others;       // receive: GRE numbers accepted since, with other frames
  uint32_t budget_ms;        // receive: when key_budget was last filled
  uint32_t failed_ms;        // receive: when the first of `failures` came; send: the last
  uint16_t key_budget;       // receive: key changes allowed now beyond one a frame
  uint16_t failures;         // in a row; receive: not decrypted; send: lost before the port
  uint16_t last_job;         // this call's last one in the burst at hand, from 1; 0: none
  uint8_t bits;              // 0: no key
  uint8_t has_sequence : 1;  // last_sequence is valid
  uint8_t stateful : 1;      // RFC 3078 s7.2
  uint8_t tries : 1;         // send: whether frames leave again
};
static_assert(sizeof(MppeState) == 64);

struct CallCountersBlock {  // read by the control side
  uint64_t upstream_packets;
  uint64_t upstream_octets;
  uint64_t upstream_drops;
  uint64_t downstream_packets;
  uint64_t downstream_octets;
  uint64_t downstream_drops;
};

// CallFeature: what only some calls have; its state lies in a table of its own.
enum CallFeature : uint8_t {
  kFeatureNone = 0,
  kFeatureKeepalive = 1,  // CallWatch: the worker answers LCP echoes
  kFeatureSweep = 2,      // CallWatch: the worker's sweep visits the call
  kFeaturePoliceUpstream = 4,
  kFeaturePoliceDownstream = 8,
  kFeatureSendWindow = 16,
};

struct alignas(64) Call {
  // Who it is. generation, owner and peer_address are read by every worker.
  uint32_t generation;  // 0: no call
  uint16_t owner;       // worker
  uint16_t call_id;
  uint32_t local_address;  // host order, as all
  uint32_t peer_address;
  uint32_t client_address;  // 0: none
  uint16_t peer_call_id;
  uint16_t mtu;  // most inner octets to the client
  uint16_t receive_window;
  uint8_t require_encryption;
  uint8_t send_acfc;
  uint8_t send_pfc;
  uint8_t decrypts;  // receive.bits is not 0; here, so that the key's line can be fetched in time
  uint8_t encrypts;  // as well for send
  uint8_t features;  // CallFeature bits
  // Next hop to the peer, valid while route_epoch is the forwarding table's.
  uint32_t route;
  uint32_t route_epoch;
  // Control frames: token bucket of 1/1000 frames.
  uint32_t punt_tokens;
  uint32_t punt_ms;
  // GRE: packets that came out of order.
  uint32_t run_sequence;  // the last of a run that may be where the peer really is
  uint32_t jump_from;     // highest_received before a jump over jump_len numbers; 0: none
  uint16_t jump_len;
  uint16_t reorder;         // ReorderBuffer that it has; 0: none
  uint8_t run_count;        // packets in the run
  uint8_t reorder_packets;  // its window; 0: none
  uint8_t reorder_delay_ms;
  // The outer header: this DSCP, or the inner one; DF.
  uint8_t outer_dscp : 6;
  uint8_t copy_dscp : 1;
  uint8_t dont_fragment : 1;

  // GRE and counters: all that a packet in clear changes is this line.
  alignas(64) CallCountersBlock counters;
  uint32_t send_sequence;     // of the next packet
  uint32_t highest_received;  // what the next packet is judged by
  uint32_t last_sound;        // the highest that has proved to be the peer's
  uint16_t unacknowledged;    // received since our last acknowledgement
  uint8_t has_received : 1;   // highest_received is valid
  uint8_t has_sound : 1;      // last_sound is valid
  uint8_t ack_due : 1;        // something received is not acknowledged yet
  uint8_t ack_queued : 1;     // in the worker's AckQueue

  // MPPE: a line a direction.
  alignas(64) MppeState receive;
  alignas(64) MppeState send;
};
static_assert(sizeof(Call) == 256);

// Handle: generation << 32 | index.
constexpr uint64_t MakeHandle(uint32_t generation, uint32_t index) {
  return static_cast<uint64_t>(generation) << 32 | index;
}
constexpr uint32_t HandleIndex(uint64_t handle) { return static_cast<uint32_t>(handle); }
constexpr uint32_t HandleGeneration(uint64_t handle) { return static_cast<uint32_t>(handle >> 32); }

}  // namespace culvert::dataplane
