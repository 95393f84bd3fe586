// The tunnels of a fleet: GRE, PPP frames, encryption.
#include <algorithm>

#include "proto/wire/ppp.h"
#include "tools/load/fleet/fleet.h"

namespace culvert::load {

namespace wp = wire::ppp;
using wire::gre::SequenceAfter;

namespace {

constexpr uint64_t kAckDelayMs = 50;  // RFC 2637 s4.2: together with data where there is some
constexpr unsigned kMaxBatches = 16;  // before timers get their turn
constexpr uint8_t kHdlcAddress = 0xff, kHdlcControl = 0x03;

}  // namespace

void Fleet::ReceiveTunnels() {
  for (unsigned i = 0; i < kMaxBatches; ++i) {
    const unsigned count = gre_.Receive();
    now_us_ = NowUs();
    for (const GreSocket::Arrival& arrival : gre_.arrivals()) {
      OnArrival(arrival);
    }
    OpenFrames();
    if (count < GreSocket::kMax) {
      return;
    }
  }
}

void Fleet::OnArrival(const GreSocket::Arrival& arrival) {
  Call* call = Find(arrival.destination, arrival.gre.call_id);
  if (call == nullptr || call->server != arrival.source) {
    ++tally_->gre_strange;
    return;
  }
  if (!arrival.gre.has_sequence) {
    return;  // an acknowledgement: nothing here waits for one
  }
  switch (call->order.See(arrival.gre.sequence)) {
    case Order::Place::kNext:
      call->to_acknowledge = arrival.gre.sequence;
      break;
    case Order::Place::kDuplicate:
      ++tally_->gre_duplicated;
      return;
    default:
      ++tally_->gre_late;
  }
  if (!std::exchange(call->owes_ack, true)) {
    acks_.push_back(call->index);
    if (acks_due_ms_ == 0) {
      SetTimer(&acks_due_ms_, now_ms() + kAckDelayMs, 0, kAcks);
    }
  }
  OnFrame(*call, arrival.ppp);
}

void Fleet::OnFrame(Call& call, std::span<uint8_t> ppp) {
  const auto frame = wp::ParseFrame(ppp);
  if (!frame || call.ppp == nullptr || call.is_silent) {
    return;
  }
  const std::span<uint8_t> information = ppp.last(frame->information.size());
  if (frame->protocol == wp::kMppe) {
    if (call.keys != nullptr &&
        encryption_->Open(call.keys.get(), information) == Encryption::Planned::kYes) {
      opening_.push_back({call.index, information.subspan(2)});
    }
    if (call.keys != nullptr && call.keys->TakeWantsReset()) {
      call.ppp->RequestReset();
      Progress(call);
    }
  } else if (frame->protocol == wp::kIpv4) {
    if (plan_->mppe() == 0) {
      OnInner(call, information);
    }
  } else {
    call.ppp->OnFrame(ppp, now_ms());
    Progress(call);
  }
}

// OpenFrames decrypts what was planned. It comes before keys go.
void Fleet::OpenFrames() {
  encryption_->RunReceive();
  for (const Opening& opening : std::exchange(opening_, {})) {
    const auto frame = wp::ParseFrame(opening.text);
    if (frame && frame->protocol == wp::kIpv4) {
      OnInner(calls_[opening.call], frame->information);
    } else {
      ++calls_[opening.call].traffic.down_corrupted;
      ++tally_->down_corrupted;
    }
  }
}

// Progress carries out what PPP wants after each of its inputs.
void Fleet::Progress(Call& call) {
  for (const std::vector<uint8_t>& frame : call.ppp->TakeFrames()) {
    SendControl(call, frame);
  }
  if (!call.ppp->failure().empty()) {
    return Fail(call, call.ppp->failure());
  }
  const client_role::PppClient::Encryption agreed = call.ppp->encryption();
  if (agreed.epoch != 0 && (call.keys == nullptr || call.keys->epoch() != agreed.epoch)) {
    OpenFrames();
    FlushTunnels();
    call.keys = CallKeys::Create(*call.ppp, encryption_->sha1());
    if (call.keys == nullptr) {
      return Fail(call, "the method of authentication gave no MPPE keys");
    }
  }
  if (call.keys != nullptr && call.num_resets != call.ppp->num_resets()) {
    call.num_resets = call.ppp->num_resets();
    FlushTunnels();
    encryption_->Flush(call.keys.get());
  }
  if (call.stage < Stage::kUp) {
    using Step = client_role::PppClient::Step;
    const Step step = call.ppp->step();
    Enter(call, step == Step::kUp               ? Stage::kUp
                : step == Step::kNetwork        ? Stage::kNetwork
                : step == Step::kAuthentication ? Stage::kAuthentication
                                                : Stage::kLink);
    if (step == Step::kUp) {
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

std::span<uint8_t> Fleet::AddFrame(Call& call, size_t ppp_len) {
  if (gre_.full()) {
    FlushTunnels();
  }
  wire::gre::Header header;
  header.call_id = call.peer_id;
  header.payload_len = static_cast<uint16_t>(ppp_len);
  header.has_sequence = ppp_len != 0;
  header.sequence = header.has_sequence ? call.next_sequence++ : 0;
  header.has_ack = std::exchange(call.owes_ack, false);
  header.ack = call.to_acknowledge;
  return gre_.Add({.source = call.source, .destination = call.server}, header, ppp_len);
}

void Fleet::SendControl(Call& call, wire::Octets frame) {
  const std::span<uint8_t> out = AddFrame(call, 2 + frame.size());
  out[0] = kHdlcAddress;
  out[1] = kHdlcControl;
  std::copy(frame.begin(), frame.end(), out.begin() + 2);
}

void Fleet::SendAcks() {
  for (const uint32_t index : std::exchange(acks_, {})) {
    Call& call = calls_[index];
    if (call.owes_ack && call.id != 0) {
      AddFrame(call, 0);
    }
  }
}

void Fleet::FlushTunnels() {
  encryption_->RunSend();
  gre_.Flush();
  tally_->unsent = gre_.num_unsent();
}

}  // namespace culvert::load
