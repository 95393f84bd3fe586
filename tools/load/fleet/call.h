// Call: one of a fleet's, across all its attempts.
#pragma once

#include <cstdint>
#include <memory>

#include "controlplane/client_role/ppp_client.h"
#include "tools/load/packet/order.h"
#include "tools/load/packet/probe.h"
#include "tools/load/report/tally.h"

namespace culvert::load {

// Traffic: the packets of a call, numbered through all its attempts.
struct Traffic {
  uint32_t next_sequence = 0;
  uint64_t next_us = 0;  // when the next one is due
  uint64_t up_packets = 0, up_octets = 0;
  uint64_t down_packets = 0, down_octets = 0;
  uint32_t down_late = 0, down_duplicated = 0, down_corrupted = 0;
  Order down_order;
  SinkCounts sink;          // its last report
  bool has_report = false;  // since the last packet
};

struct Call {
  uint32_t index = 0;
  Stage stage = Stage::kIdle;
  uint8_t asks_left = 0;  // for the sink's report, before the call is ended
  bool ends_with_report = false;
  bool is_silent = false;  // towards PPP
  uint16_t id = 0, peer_id = 0;
  uint32_t source = 0, server = 0;  // host order
  uint64_t begun_us = 0, stage_us = 0;
  uint64_t ppp_due_ms = 0, send_due_ms = 0, hold_due_ms = 0, setup_due_ms = 0, ask_due_ms = 0;
  uint64_t end_due_ms = 0;
  std::unique_ptr<client_role::PppClient> ppp;
  uint32_t key_epoch = 0;   // of the keys at hand; 0: none
  uint32_t num_resets = 0;  // answered ones

  Traffic traffic;
};

}  // namespace culvert::load
