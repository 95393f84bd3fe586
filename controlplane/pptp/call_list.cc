#include "controlplane/pptp/call_list.h"

#include <algorithm>
#include <utility>

namespace culvert::pptp {

namespace {

bool WaitsForPeer(const CallState& call) {
  return call.step == CallState::Step::kWaitConnect ||
         call.step == CallState::Step::kWaitDisconnect;
}

}  // namespace

CallState* CallList::FindByOurs(uint16_t call_id) {
  auto it = std::find_if(calls_.begin(), calls_.end(),
                         [&](const CallState& call) { return call.call_id == call_id; });
  return it == calls_.end() ? nullptr : &*it;
}

CallState* CallList::FindByPeers(uint16_t call_id) {
  auto it = std::find_if(calls_.begin(), calls_.end(),
                         [&](const CallState& call) { return call.peer_call_id == call_id; });
  return it == calls_.end() ? nullptr : &*it;
}

CallState* CallList::FindLoosely(uint16_t call_id) {
  if (CallState* call = FindByPeers(call_id)) {
    return call;
  }
  if (CallState* call = FindByOurs(call_id)) {
    return call;
  }
  return calls_.size() == 1 ? &calls_.front() : nullptr;
}

void CallList::Erase(uint16_t call_id) {
  std::erase_if(calls_, [&](const CallState& call) { return call.call_id == call_id; });
}

uint64_t CallList::NextDeadline() const {
  uint64_t next = UINT64_MAX;
  for (const CallState& call : calls_) {
    if (WaitsForPeer(call)) {
      next = std::min(next, call.deadline_ms);
    }
  }
  return next;
}

std::vector<CallState> CallList::TakeAll() { return std::exchange(calls_, {}); }

}  // namespace culvert::pptp
