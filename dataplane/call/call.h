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

// CallFeature: what only some calls have; its state lies in a table of its own.
enum CallFeature : uint8_t {
  kFeatureNone = 0,
  kFeatureKeepalive = 1,  // CallWatch: the worker answers LCP echoes
  kFeatureSweep = 2,      // CallWatch: the worker's sweep visits the call
  kFeaturePoliceUpstream = 4,
  kFeaturePoliceDownstream = 8,
  kFeatureSendWindow = 16,
  kFeatureFilter = 32,  // CallMore::filter
};

constexpr uint32_t kCallsPerAddress = 65536;

// CallMore: what packets from the client have no need of.
struct alignas(64) CallMore {
  // Read by the control side.
  uint64_t downstream_packets;
  uint64_t downstream_octets;
  uint64_t downstream_drops;
  uint64_t upstream_drops;
  uint32_t send_sequence;  // of the next packet
  // Control frames: token bucket of 1/1000 frames.
  uint32_t punt_tokens;
  uint32_t punt_ms;
  // GRE: packets that came out of order.
  uint32_t run_sequence;  // the last of a run that may be where the peer really is
  uint32_t jump_from;     // highest_received before a jump over jump_len numbers; 0: none
  uint16_t jump_len;
  uint8_t reorder_packets;  // ReorderBuffer's window; 0: none
  uint8_t reorder_delay_ms;
  uint16_t call_id;
  uint8_t send_acfc;
  uint8_t send_pfc;
  uint16_t filter;  // of the FilterTable; 0: none
};

// Call: all that a packet from the client and an acknowledgement to it need is one cache line. The
// lines of calls lie side by side and the rest of a row in three more such planes: a million rows
// of one line take a quarter of the pages, whose addresses the processor must know, too.
struct alignas(64) Call {
  // generation, owner and peer_address are read by every worker.
  uint32_t generation;  // 0: no call
  uint8_t owner;        // worker
  uint8_t features;     // CallFeature bits
  uint16_t receive_window;
  uint32_t local_address;  // host order, as all
  uint32_t peer_address;
  uint32_t client_address;  // 0: none
  uint16_t mtu;             // most inner octets to the client
  uint16_t peer_call_id;
  uint32_t highest_received;  // GRE: what the next packet is judged by
  uint32_t last_sound;        // the highest that has proved to be the peer's
  uint64_t upstream_packets;  // read by the control side
  uint64_t upstream_octets;
  // Next hop to the peer, valid while route_epoch is the forwarding table's.
  uint32_t route;
  uint32_t route_epoch;
  uint16_t unacknowledged;  // received since our last acknowledgement
  uint16_t reorder;         // ReorderBuffer that it has; 0: none
  uint8_t run_count;        // packets in the run of CallMore::run_sequence
  uint8_t ack_delay;        // AckDelay
  uint8_t require_encryption : 1;
  uint8_t decrypts : 1;  // receive().bits is not 0; here, so that its line can be fetched in time
  uint8_t encrypts : 1;  // as well for send()
  uint8_t dont_fragment : 1;  // outer header: DF, and this DSCP, or the inner one
  uint8_t copy_dscp : 1;
  uint8_t has_received : 1;  // highest_received is valid
  uint8_t has_sound : 1;     // last_sound is valid
  uint8_t ack_due : 1;       // something received is not acknowledged yet
  uint8_t ack_queued : 1;    // in the worker's AckQueue
  uint8_t outer_dscp : 6;

  // The other planes. A Call is always a row of the table.
  static constexpr size_t kPlaneLen = size_t{64} * kCallsPerAddress;
  [[nodiscard]] CallMore& more() { return *At<CallMore>(1); }
  [[nodiscard]] const CallMore& more() const { return const_cast<Call*>(this)->more(); }
  [[nodiscard]] MppeState& receive() { return *At<MppeState>(2); }
  [[nodiscard]] const MppeState& receive() const { return const_cast<Call*>(this)->receive(); }
  [[nodiscard]] MppeState& send() { return *At<MppeState>(3); }
  [[nodiscard]] const MppeState& send() const { return const_cast<Call*>(this)->send(); }

 private:
  template <typename T>
  T* At(size_t plane) {
    static_assert(sizeof(T) == 64);
    return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(this) + plane * kPlaneLen);
  }
};
static_assert(sizeof(Call) == 64);
constexpr size_t kCallRowLen = 256;  // in all planes

// Handle: generation << 32 | index.
constexpr uint64_t MakeHandle(uint32_t generation, uint32_t index) {
  return static_cast<uint64_t>(generation) << 32 | index;
}
constexpr uint32_t HandleIndex(uint64_t handle) { return static_cast<uint32_t>(handle); }
constexpr uint32_t HandleGeneration(uint64_t handle) { return static_cast<uint32_t>(handle >> 32); }

}  // namespace culvert::dataplane
