// The packets inside a fleet's tunnels.
#include <algorithm>

#include "proto/wire/byte_order.h"
#include "tools/load/fleet/fleet.h"
#include "tools/load/packet/inner.h"

namespace culvert::load {

namespace {

constexpr uint64_t kAskAgainMs = 500;
constexpr uint8_t kAsks = 4;
constexpr unsigned kMaxAtOnce = 32;  // of a call that is behind
// IMIX: of 12 packets 7 small, 4 middling, 1 large.
constexpr size_t kSmall = 64, kMiddling = 594, kLarge = 1400;

}  // namespace

void Fleet::StartPackets(Call& call) {
  if (plan_->hold_seconds() > 0) {
    SetTimer(&call.hold_due_ms,
             now_ms() + std::max<uint64_t>(1, static_cast<uint64_t>(plan_->hold_seconds() * 1000)),
             call.index, kHold);
  }
  if (!has_packets() || !sends_) {
    return;
  }
  // The calls' packets are spread over the interval.
  const double interval_us = 1e6 / plan_->packet_rate();
  const double share = static_cast<double>(call.index * 2654435761U) / 4294967296.0;
  call.traffic.next_us = now_us_ + static_cast<uint64_t>(interval_us * share);
  SetTimer(&call.send_due_ms, call.traffic.next_us / 1000 + 1, call.index, kSend);
}

size_t Fleet::NextSize(const Call& call) const {
  if (!plan_->imix()) {
    return plan_->packet_size();
  }
  const uint32_t step = (call.traffic.next_sequence * 5 + call.index) % 12;
  return step < 7 ? kSmall : step < 11 ? kMiddling : kLarge;
}

void Fleet::SendDue(Call& call) {
  if (call.stage != Stage::kUp || !sends_ || call.ends_with_report) {
    return;
  }
  const auto interval_us = static_cast<uint64_t>(1e6 / plan_->packet_rate());
  unsigned num = 0;
  for (; call.traffic.next_us <= now_us_ && num < kMaxAtOnce; ++num) {
    const size_t size = NextSize(call);
    const bool has_answer = plan_->direction() != "up";
    const size_t up_size = plan_->direction() == "down" ? kIpUdpLen + kProbeLen : size;
    SendProbe(call,
              {.kind = ProbeKind::kData,
               .answers = static_cast<uint16_t>(has_answer ? 1 : 0),
               .answer_len = static_cast<uint16_t>(size - kIpUdpLen),
               .run = run_,
               .call = call.index,
               .sequence = call.traffic.next_sequence++,
               .sent_ns = now_us_ * 1000},
              up_size);
    ++call.traffic.up_packets;
    call.traffic.up_octets += up_size;
    ++tally_->up_packets;
    tally_->up_octets += up_size;
    call.traffic.next_us += interval_us;
  }
  if (num == kMaxAtOnce && call.traffic.next_us < now_us_) {
    call.traffic.next_us = now_us_;  // this machine is too slow: the rate is what it can do
  }
  // Not in this turn again: one that never caught up would not end.
  SetTimer(&call.send_due_ms, std::max(call.traffic.next_us / 1000, now_ms()) + 1, call.index,
           kSend);
}

void Fleet::SendProbe(Call& call, const Probe& probe, size_t packet_len) {
  const std::span<uint8_t> packet = tunnels_->AddPacket(call.index, packet_len);
  EmitIpUdp({.source = call.ppp->address(),
             .destination = sink_.address,
             .source_port = kProbePort,
             .destination_port = sink_.port},
            packet);
  EmitProbe(probe, nullptr, packet.subspan(kIpUdpLen));
}

// Ask asks again until the sink's report comes, or it has been asked often enough.
void Fleet::Ask(Call& call) {
  if (call.stage != Stage::kUp) {
    return;
  }
  if (call.asks_left == 0) {
    call.asks_left = kAsks;
    ++num_asking_;
  }
  call.traffic.has_report = false;
  if (--call.asks_left == 0) {
    --num_asking_;
    return call.ends_with_report ? EndCall(call) : void();
  }
  SendProbe(call, {.kind = ProbeKind::kAsk, .run = run_, .call = call.index},
            kIpUdpLen + kReportLen);
  SetTimer(&call.ask_due_ms, now_ms() + kAskAgainMs, call.index, kAsk);
}

void Fleet::OnInner(Call& call, std::span<const uint8_t> packet) {
  const std::optional<std::span<const uint8_t>> payload = ParseIpUdp(packet, sink_);
  if (!payload) {
    return;  // the server's own, or a stranger's
  }
  const Parsed parsed = ParseProbe(*payload);
  Traffic& traffic = call.traffic;
  if (parsed.error || parsed.probe.run != run_ || parsed.probe.call != call.index) {
    ++traffic.down_corrupted;
    ++tally_->down_corrupted;
    return;
  }
  if (parsed.probe.kind == ProbeKind::kReport) {
    traffic.sink = parsed.counts;
    traffic.has_report = true;
    if (call.asks_left != 0) {
      call.asks_left = 0;
      call.ask_due_ms = 0;
      --num_asking_;
      return call.ends_with_report ? EndCall(call) : void();
    }
    return;
  }
  const Order::Place place = traffic.down_order.See(parsed.probe.sequence);
  if (place == Order::Place::kDuplicate) {
    ++traffic.down_duplicated;
    ++tally_->down_duplicated;
    return;
  }
  if (place != Order::Place::kNext) {
    ++traffic.down_late;
    ++tally_->down_late;
  }
  ++traffic.down_packets;
  traffic.down_octets += packet.size();
  ++tally_->down_packets;
  tally_->down_octets += packet.size();
  const uint64_t round_trip_us = now_us_ - std::min(now_us_, parsed.probe.sent_ns / 1000);
  tally_->round_trip.Add(round_trip_us);
  tally_->second_round_trip.Add(round_trip_us);
}

}  // namespace culvert::load
