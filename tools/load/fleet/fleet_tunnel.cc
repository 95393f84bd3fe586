// What comes out of a fleet's tunnels, and what PPP makes of it.
#include "tools/load/fleet/fleet.h"

namespace culvert::load {

uint32_t Fleet::CallOf(uint32_t client, uint16_t client_id) {
  const Call* call = Find(client, client_id);
  return call == nullptr ? kNone : call->index;
}

void Fleet::OnControl(uint32_t index, wire::Octets frame) {
  Call& call = calls_[index];
  if (call.ppp != nullptr && !call.is_silent) {
    call.ppp->OnFrame(frame, now_ms());
    Progress(call);
  }
}

void Fleet::OnPacket(uint32_t index, std::span<const uint8_t> packet) {
  if (Call& call = calls_[index]; !call.is_silent) {
    OnInner(call, packet);
  }
}

void Fleet::OnUnreadable(uint32_t index) {
  ++calls_[index].traffic.down_corrupted;
  ++tally_->down_corrupted;
}

void Fleet::OnKeyLost(uint32_t index) {
  Call& call = calls_[index];
  if (call.ppp != nullptr && !call.is_silent) {
    call.ppp->RequestReset();
    Progress(call);
  }
}

// AgreeOnKeys gives what is wrong, or an empty string.
std::string Fleet::AgreeOnKeys(Call& call) {
  const uint32_t epoch = call.ppp->encryption().epoch;
  if (epoch == 0 || epoch == call.key_epoch) {
    return "";  // 0: CCP is being negotiated again, and new keys come when it opens
  }
  call.key_epoch = epoch;
  return tunnels_->Encrypt(call.index, *call.ppp);
}

// Progress carries out what PPP wants after each of its inputs. Keys and address come before the
// frame that has the server use them.
void Fleet::Progress(Call& call) {
  using Step = client_role::PppClient::Step;
  std::string wrong = AgreeOnKeys(call);
  const Step step = call.ppp->step();
  const bool comes_up = call.stage < Stage::kUp && step == Step::kUp;
  if (wrong.empty() && comes_up) {
    wrong = tunnels_->Address(call.index, call.ppp->address());
  }
  for (const std::vector<uint8_t>& frame : call.ppp->TakeFrames()) {
    tunnels_->SendControl(call.index, frame);
  }
  if (!call.ppp->failure().empty()) {
    wrong = call.ppp->failure();
  }
  if (!wrong.empty()) {
    return Fail(call, wrong);
  }
  if (call.num_resets != call.ppp->num_resets()) {
    call.num_resets = call.ppp->num_resets();
    tunnels_->ShowKey(call.index);
  }
  if (call.stage < Stage::kUp) {
    Enter(call, step == Step::kUp               ? Stage::kUp
                : step == Step::kNetwork        ? Stage::kNetwork
                : step == Step::kAuthentication ? Stage::kAuthentication
                                                : Stage::kLink);
    if (comes_up) {
      ++tally_->established;
      tally_->last_up_us = now_us_;
      tally_->setup.Add(now_us_ - call.begun_us);
      StartPackets(call);
    }
  }
  const std::optional<uint64_t> deadline_ms = call.ppp->deadline_ms();
  if (deadline_ms && (call.ppp_due_ms == 0 || *deadline_ms < call.ppp_due_ms)) {
    SetTimer(&call.ppp_due_ms, *deadline_ms, call.index, kPpp);
  }
}

}  // namespace culvert::load
