// Command: what the control side asks of a call's worker. The control side owns it and waits until
// it has been carried out; keys in it are wiped by who made it.
#pragma once

#include <cstdint>

#include "dataplane/call/call.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

struct CallProgram {
  uint32_t index = 0;
  uint32_t generation = 0;
  uint32_t local_address = 0, peer_address = 0, client_address = 0;
  uint16_t call_id = 0, peer_call_id = 0;
  uint16_t mtu = 0, receive_window = 0;
  uint16_t peer_window = 0;
  uint16_t filter = 0, ack_delay_ms = 100;
  ReorderSpec reorder;
  KeepaliveSpec keepalive;
  PolicerSpec upstream_policer, downstream_policer;
  uint32_t idle_timeout_s = 0;
  uint64_t octet_quota = 0;
  bool require_encryption = false, send_acfc = false, send_pfc = false;
  OuterSpec outer;
  MppeKeySpec receive, send;  // bits 0: none
};

struct Command {
  enum class Kind : uint8_t { kProgram, kRemove, kTrace };
  Kind kind = Kind::kProgram;
  unsigned worker = 0;
  CallProgram program{};  // kRemove: index alone
  CallTotals totals{};    // answer to kRemove
  uint64_t trace_handle = 0;
  uint32_t trace_count = 0;
  Command* next = nullptr;  // of the same worker, after this one
};

}  // namespace culvert::dataplane
