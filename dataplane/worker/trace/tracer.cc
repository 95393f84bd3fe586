#include "dataplane/worker/trace/tracer.h"

#include "dataplane/call/call.h"

namespace culvert::dataplane {
namespace {

constexpr bool Ends(Verdict verdict) {
  return !verdict.IsNext() && verdict.kind() != Verdict::Kind::kGoTo;
}

}  // namespace

void Tracer::Begin(uint64_t handle, uint32_t count) {
  handle_ = handle;
  remaining_ = count;
  next_ = 0;
  for (Pending& pending : pending_) {
    pending.packet = nullptr;
  }
}

Tracer::Pending& Tracer::Find(const Packet& packet) {
  for (Pending& pending : pending_) {
    if (pending.packet == &packet) {
      return pending;
    }
  }
  Pending& pending = pending_[next_++ % kNumPending];  // whoever was there takes too long
  pending.packet = &packet;
  pending.record.num_steps = 0;
  return pending;
}

void Tracer::See(Packet& packet, Stage stage, unsigned index, Verdict verdict, uint64_t now_tsc) {
  Pending& pending = Find(packet);
  Record& record = pending.record;
  if (record.num_steps == 0) {
    record.tsc = now_tsc;
    record.len = packet.data_len();
  }
  if (record.num_steps < kMaxSteps) {
    record.steps[record.num_steps++] = {stage, static_cast<uint8_t>(index), verdict};
  }
  if (Ends(verdict)) {
    Finish(packet, &pending);
  }
}

void Tracer::Finish(const Packet& packet, Pending* pending) {
  pending->packet = nullptr;
  if (packet.call_index != HandleIndex(handle_) || remaining_ == 0) {
    return;
  }
  const uint32_t tail = tail_.load(std::memory_order_relaxed);
  if (tail - head_.load(std::memory_order_acquire) == kNumDone) {
    return;  // the reader is slow: the next packets will do
  }
  pending->record.handle = handle_;
  pending->record.downstream = packet.downstream;
  done_[tail % kNumDone] = pending->record;
  tail_.store(tail + 1, std::memory_order_release);
  --remaining_;
}

std::optional<Tracer::Record> Tracer::Take() {
  const uint32_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  const Record record = done_[head % kNumDone];
  head_.store(head + 1, std::memory_order_release);
  return record;
}

}  // namespace culvert::dataplane
