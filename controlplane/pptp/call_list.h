// CallList: the calls of one control connection, few of them; clients have one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proto/wire/pptp.h"

namespace culvert::pptp {

struct CallState {
  // kPending: our caller decides; kWaitConnect: Incoming-Call-Connected is to come; kClearing: the
  // peer hung up, our caller closes; kWaitDisconnect: the caller is through with it, the PAC's
  // Call-Disconnect-Notify is to come.
  enum class Step : uint8_t { kPending, kWaitConnect, kConnected, kClearing, kWaitDisconnect };
  uint16_t call_id = 0;
  uint16_t peer_call_id = 0;
  Step step = Step::kPending;
  bool incoming = false;              // we are its PNS (s3.2.4), else its PAC (s3.2.2)
  uint64_t deadline_ms = 0;           // kWaitConnect, kWaitDisconnect
  uint32_t wan_errors = 0;            // as last notified, the sum
  wire::pptp::SetLinkInfo link_info;  // stored, of no meaning without an async line
};

class CallList {
 public:
  [[nodiscard]] CallState* FindByOurs(uint16_t call_id);
  [[nodiscard]] CallState* FindByPeers(uint16_t call_id);
  // FindLoosely: the sender's id is what s2.12 and s2.13 want; some send ours, or, behind a NAT
  // that rewrites only some messages, neither.
  [[nodiscard]] CallState* FindLoosely(uint16_t call_id);
  void Add(const CallState& call) { calls_.push_back(call); }
  void Erase(uint16_t call_id);
  // NextDeadline: the earliest of those that wait for the peer; UINT64_MAX: none does.
  [[nodiscard]] uint64_t NextDeadline() const;

  [[nodiscard]] size_t size() const { return calls_.size(); }
  [[nodiscard]] bool empty() const { return calls_.empty(); }
  [[nodiscard]] std::vector<CallState> TakeAll();

 private:
  std::vector<CallState> calls_;
};

}  // namespace culvert::pptp
