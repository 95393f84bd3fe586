#include "dataplane/worker/trace/tracer.h"

#include <bit>

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
  packets_.fill(nullptr);
}

// Find looks at few places, for it does so for every step of every packet.
unsigned Tracer::Find(const Packet& packet) {
  constexpr unsigned kSetBits = std::bit_width(kNumPending / kWays) - 1;
  const uint64_t hash = reinterpret_cast<uintptr_t>(&packet) * 0x9e3779b97f4a7c15;
  const auto first = static_cast<unsigned>(hash >> (64 - kSetBits)) * kWays;
  unsigned place = kNumPending;
  for (unsigned i = first; i < first + kWays; ++i) {
    if (packets_[i] == &packet) {
      return i;
    }
    place = packets_[i] == nullptr ? i : place;
  }
  if (place == kNumPending) {
    place = first + next_++ % kWays;  // whoever was there takes too long
  }
  packets_[place] = &packet;
  pending_[place].num_steps = 0;
  return place;
}

void Tracer::See(Packet& packet, Stage stage, unsigned index, Verdict verdict, uint64_t now_tsc) {
  const unsigned place = Find(packet);
  Record& record = pending_[place];
  if (record.num_steps == 0) {
    record.tsc = now_tsc;
    record.len = packet.data_len();
  }
  if (record.num_steps < kMaxSteps) {
    record.steps[record.num_steps++] = {stage, static_cast<uint8_t>(index), verdict};
  }
  if (Ends(verdict)) {
    Finish(packet, place);
  }
}

void Tracer::Finish(const Packet& packet, unsigned place) {
  packets_[place] = nullptr;
  if (packet.call_index != HandleIndex(handle_) || remaining_ == 0) {
    return;
  }
  const uint32_t tail = tail_.load(std::memory_order_relaxed);
  if (tail - head_.load(std::memory_order_acquire) == kNumDone) {
    return;  // the reader is slow: the next packets will do
  }
  Record& record = done_[tail % kNumDone];
  record = pending_[place];
  record.handle = handle_;
  record.downstream = packet.downstream;
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
