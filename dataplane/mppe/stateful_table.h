// StatefulTable: the running keystreams of stateful calls (RFC 3078 s7.2), beside the call table
// since few calls have them. Rows have the call table's indices; memory is taken by those in use.
// Each row is its call's worker's only.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>

#include "dataplane/mppe/rc4.h"

namespace culvert::dataplane::mppe {

// StatefulRow: one direction. A row of zeros is one whose table is to be scheduled first.
struct alignas(64) StatefulRow {
  Rc4Table table;
  uint8_t is_scheduled;
  // send: the next frame has to show the receiver where the keystream is, but not in the round in
  // which this was asked for, so that the Reset-Ack leaves first.
  uint8_t flush;
  uint32_t flush_round;
  // receive: Reset-Requests sent since the last sound frame, and when the last one was.
  uint8_t num_resets;
  uint8_t reset_id;
  uint8_t keeps_key;  // the peer does not change its key with a Reset-Request (it follows the RFC)
  uint32_t reset_ms;
};

class StatefulTable {
 public:
  // Create reserves an empty table.
  static absl::StatusOr<std::unique_ptr<StatefulTable>> Create(uint32_t num_calls);
  ~StatefulTable();
  StatefulTable(const StatefulTable&) = delete;
  StatefulTable& operator=(const StatefulTable&) = delete;

  [[nodiscard]] StatefulRow* Receive(uint32_t call_index) { return &rows_[2 * size_t{call_index}]; }
  [[nodiscard]] StatefulRow* Send(uint32_t call_index) {
    return &rows_[2 * size_t{call_index} + 1];
  }

 private:
  StatefulTable(StatefulRow* rows, size_t len) : rows_(rows), len_(len) {}

  StatefulRow* rows_;
  size_t len_;
};

}  // namespace culvert::dataplane::mppe
