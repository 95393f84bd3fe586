// Packet: what the steps know about a packet. It lives in the mbuf's private area, so a ring of
// mbuf pointers carries it from worker to worker.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>

#include "dataplane/packet/verdict.h"
#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

struct Call;

// The outer IPv4 header's checksum is left to the port (until ethernet_output knows which).
constexpr uint64_t kTxChecksumFlags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;

struct Packet {
  wire::ip::Ipv4Header ip;  // outer in kInput and kUpstream until inner_ipv4, then inner
  Call* call = nullptr;     // set once this worker is known to own it
  uint32_t call_index = 0;
  uint32_t generation = 0;  // of the call: in control frames, both ways
  uint32_t next_hop = 0;    // NextHop value
  uint32_t sequence = 0;    // GRE
  uint32_t ack = 0;         // as well, with has_ack
  uint16_t port = 0;        // it came from
  uint16_t offset = 0;      // of `length` octets still to parse, from the mbuf's data
  uint16_t length = 0;
  uint16_t protocol = 0;        // PPP; 0: no PPP frame in it
  Stage stage = Stage::kInput;  // where the worker it is handed to begins
  bool has_sequence = false;
  bool has_ack = false;
  bool encrypted = false;    // it came through MPPE
  bool downstream = false;   // its drop counts for that direction of the call
  bool from_kernel = false;  // its TTL is the kernel's business

  [[nodiscard]] rte_mbuf* mbuf() { return reinterpret_cast<rte_mbuf*>(this) - 1; }
  [[nodiscard]] uint8_t* data() { return rte_pktmbuf_mtod(mbuf(), uint8_t*); }
  [[nodiscard]] uint16_t data_len() { return rte_pktmbuf_data_len(mbuf()); }
  // payload is what is still to parse.
  [[nodiscard]] std::span<uint8_t> payload() { return {data() + offset, length}; }
  // Skip and Cut take octets off the front, and all beyond the first `len`. The packet is one
  // segment: unlike rte_pktmbuf_adj and _trim they leave the mbuf's second cache line alone.
  void Skip(uint16_t len) {
    mbuf()->data_off = static_cast<uint16_t>(mbuf()->data_off + len);
    Cut(static_cast<uint16_t>(data_len() - len));
  }
  void Cut(uint16_t len) {
    mbuf()->data_len = len;
    mbuf()->pkt_len = len;
  }
  // Prepend gives `len` octets before the data, nullptr when there is no headroom.
  [[nodiscard]] uint8_t* Prepend(uint16_t len) {
    return reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(mbuf(), len));
  }
};
static_assert(sizeof(Packet) <= 64);

// PacketOf is the packet of an mbuf whose pool has kMbufPrivateLen octets of private area.
inline Packet& PacketOf(rte_mbuf* mbuf) { return *static_cast<Packet*>(rte_mbuf_to_priv(mbuf)); }
// ResetPacket begins a packet's life.
inline Packet& ResetPacket(rte_mbuf* mbuf) { return *new (rte_mbuf_to_priv(mbuf)) Packet; }

}  // namespace culvert::dataplane
