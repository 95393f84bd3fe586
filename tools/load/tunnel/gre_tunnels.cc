#include "tools/load/tunnel/gre_tunnels.h"

#include <algorithm>
#include <utility>

#include "proto/wire/ppp.h"

namespace culvert::load {

namespace wp = wire::ppp;

namespace {

constexpr uint64_t kAckDelayMs = 50;  // RFC 2637 s4.2: together with data where there is some
constexpr unsigned kMaxBatches = 16;  // before timers get their turn
constexpr uint8_t kHdlcAddress = 0xff, kHdlcControl = 0x03;
// What PPP puts before a packet: FF 03, 00 FD, MPPE's header and 00 21; without MPPE FF 03, 00 21.
constexpr size_t kSealedLen = 8, kPlainLen = 4;
constexpr size_t kTextAt = 6;  // of a sealed frame

}  // namespace

std::string GreTunnels::Open() {
  encryption_ = Encryption::Create();
  return encryption_ == nullptr ? "MPPE does not run on this processor" : gre_.Open();
}

void GreTunnels::Begin(uint32_t call, const Ends& ends) {
  if (call >= states_.size()) {
    states_.resize(call + 1);
  }
  states_[call] = {};
  states_[call].ends = ends;
}

std::string GreTunnels::Connect(uint32_t call, uint16_t server_id) {
  states_[call].ends.server_id = server_id;
  return "";
}

void GreTunnels::End(uint32_t call) {
  if (call >= states_.size()) {
    return;
  }
  if (!opening_.empty()) {
    OpenFrames();
  }
  states_[call] = {};
}

std::string GreTunnels::Encrypt(uint32_t call, const client_role::PppClient& ppp) {
  OpenFrames();
  SendAll();
  State& state = states_[call];
  state.keys = CallKeys::Create(ppp, encryption_->sha1());
  return state.keys != nullptr ? "" : "the method of authentication gave no MPPE keys";
}

void GreTunnels::ShowKey(uint32_t call) {
  if (CallKeys* keys = states_[call].keys.get()) {
    SendAll();
    encryption_->Flush(keys);
  }
}

void GreTunnels::Receive() {
  for (unsigned i = 0; i < kMaxBatches; ++i) {
    const unsigned count = gre_.Receive();
    owner_->OnBatch();
    for (const GreSocket::Arrival& arrival : gre_.arrivals()) {
      OnArrival(arrival);
    }
    OpenFrames();
    if (count < GreSocket::kMax) {
      return;
    }
  }
}

void GreTunnels::OnArrival(const GreSocket::Arrival& arrival) {
  const uint32_t call = owner_->CallOf(arrival.destination, arrival.gre.call_id);
  if (call == Owner::kNone || states_[call].ends.server != arrival.source) {
    ++counters_.strange;
    return;
  }
  if (!arrival.gre.has_sequence) {
    return;  // an acknowledgement: nothing here waits for one
  }
  State& state = states_[call];
  switch (state.order.See(arrival.gre.sequence)) {
    case Order::Place::kNext:
      state.to_acknowledge = arrival.gre.sequence;
      break;
    case Order::Place::kDuplicate:
      ++counters_.duplicated;
      return;
    default:
      ++counters_.late;
  }
  if (!std::exchange(state.owes_ack, true)) {
    acks_.push_back(call);
  }
  OnFrame(call, arrival.ppp);
}

void GreTunnels::OnFrame(uint32_t call, std::span<uint8_t> ppp) {
  const auto frame = wp::ParseFrame(ppp);
  if (!frame) {
    return;
  }
  CallKeys* keys = states_[call].keys.get();
  const std::span<uint8_t> information = ppp.last(frame->information.size());
  if (frame->protocol == wp::kMppe) {
    if (keys == nullptr) {
      return;
    }
    if (encryption_->Open(keys, information) == Encryption::Planned::kYes) {
      opening_.push_back({call, information.subspan(2)});
    }
    if (keys->TakeWantsReset()) {
      owner_->OnKeyLost(call);
    }
  } else if (frame->protocol != wp::kIpv4) {
    owner_->OnControl(call, ppp);
  } else if (takes_clear_) {
    owner_->OnPacket(call, information);
  }
}

// OpenFrames decrypts what was planned. It comes before keys go.
void GreTunnels::OpenFrames() {
  encryption_->RunReceive();
  for (const Opening& opening : std::exchange(opening_, {})) {
    const auto frame = wp::ParseFrame(opening.text);
    if (frame && frame->protocol == wp::kIpv4) {
      owner_->OnPacket(opening.call, frame->information);
    } else {
      owner_->OnUnreadable(opening.call);
    }
  }
}

std::span<uint8_t> GreTunnels::AddFrame(State& state, size_t ppp_len) {
  if (gre_.full()) {
    SendAll();
  }
  wire::gre::Header header;
  header.call_id = state.ends.server_id;
  header.payload_len = static_cast<uint16_t>(ppp_len);
  header.has_sequence = ppp_len != 0;
  header.sequence = header.has_sequence ? state.next_sequence++ : 0;
  header.has_ack = std::exchange(state.owes_ack, false);
  header.ack = state.to_acknowledge;
  return gre_.Add({.source = state.ends.client, .destination = state.ends.server}, header, ppp_len);
}

void GreTunnels::SendControl(uint32_t call, wire::Octets frame) {
  const std::span<uint8_t> out = AddFrame(states_[call], 2 + frame.size());
  out[0] = kHdlcAddress;
  out[1] = kHdlcControl;
  std::copy(frame.begin(), frame.end(), out.begin() + 2);
}

std::span<uint8_t> GreTunnels::AddPacket(uint32_t call, size_t len) {
  State& state = states_[call];
  const bool sealed = state.keys != nullptr;
  const size_t before = sealed ? kSealedLen : kPlainLen;
  const std::span<uint8_t> out = AddFrame(state, before + len);
  wire::StoreBe16(out.data(), 0xff03);
  wire::StoreBe16(&out[before - 2], wp::kIpv4);
  if (sealed) {  // which reads nothing before SendAll
    wire::StoreBe16(&out[2], wp::kMppe);
    encryption_->Seal(state.keys.get(), &out[4], out.subspan(kTextAt));
  }
  return out.subspan(before);
}

void GreTunnels::SendAcks() {
  for (const uint32_t call : std::exchange(acks_, {})) {
    State& state = states_[call];
    if (state.owes_ack && state.ends.client_id != 0) {
      AddFrame(state, 0);
    }
  }
}

void GreTunnels::Flush(uint64_t now_ms) {
  if (acks_due_ms_ == 0 && !acks_.empty()) {
    acks_due_ms_ = now_ms + kAckDelayMs;
  } else if (acks_due_ms_ != 0 && now_ms >= acks_due_ms_) {
    acks_due_ms_ = 0;
    SendAcks();
  }
  SendAll();
}

void GreTunnels::SendAll() {
  encryption_->RunSend();
  gre_.Flush();
}

Tunnels::Counters GreTunnels::counters() const {
  Counters counters = counters_;
  counters.unsent = gre_.num_unsent();
  return counters;
}

bool GreTunnels::StartCapture(uint32_t call, Capture* capture) {
  gre_.StartCapture(capture, capture != nullptr ? states_[call].ends : Ends{});
  return true;
}

}  // namespace culvert::load
