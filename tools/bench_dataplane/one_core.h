// OneCore: the loop of one worker, on the calling thread, a batch at a time.
#pragma once

#include <array>

#include "dataplane/rig/rig.h"
#include "tools/bench_clock/clock.h"

namespace culvert::bench {

// A batch is what a port's receive queue holds.
constexpr unsigned kBatch = 1024;
using Batch = std::array<rte_mbuf*, kBatch>;

// Allocate takes a batch from the pool of `rig`.
void Allocate(const dataplane::Rig& rig, Batch* batch);
// Discard empties a ring and gives the number of packets that were in it.
unsigned Discard(rte_ring* ring);
// SayDrops tells on stderr what has been dropped so far, by reason.
void SayDrops(dataplane::Rig* rig);
// Preemptions of the calling thread so far: a sample that another thread took part of says nothing.
long Preemptions();

class OneCore {
 public:
  // Borrows the rig. Packets come in by `input` and leave by `output`.
  OneCore(dataplane::Rig* rig, unsigned input, unsigned output)
      : rig_(rig), input_(input), output_(output) {}

  // Drain lets the batch through and gives the ticks that took. What came out is freed.
  uint64_t Drain(const Batch& batch);
  // Settle runs the worker until it sends nothing by itself any more (acknowledgements that fell
  // due while packets were made), and gives the ticks of the rounds that sent something.
  uint64_t Settle(uint64_t* num_sent);
  // DrainEmpty takes the batch from the one port and gives it to the other, nothing between.
  uint64_t DrainEmpty(const Batch& batch);

  [[nodiscard]] uint64_t num_out() const { return num_out_; }    // by the output port
  [[nodiscard]] uint64_t num_back() const { return num_back_; }  // by the input port: control
  [[nodiscard]] bool disturbed() const { return disturbed_; }    // the latest Drain was

 private:
  void Enqueue(const Batch& batch);
  void Collect();

  dataplane::Rig* rig_;
  unsigned input_;
  unsigned output_;
  uint64_t num_out_ = 0;
  uint64_t num_back_ = 0;
  bool disturbed_ = false;
};

}  // namespace culvert::bench
