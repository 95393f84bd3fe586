// Worker: one lcore's loop. Each round takes bursts from the ports and rings, runs them through
// the stages, and sends what has gathered. The only place where packets change hands.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/worker/command.h"
#include "dataplane/worker/context.h"
#include "dataplane/worker/counters.h"
#include "dataplane/worker/mbuf_ring.h"
#include "dataplane/worker/stages.h"
#include "dataplane/worker/sweep.h"
#include "dataplane/worker/trace/tracer.h"

namespace culvert::dataplane {

constexpr unsigned kBurst = 32;

class Worker {
 public:
  struct Shared {  // borrowed
    DatapathRole role;
    CallTable* calls;
    const Fib* fib;
    const ClientTable* clients;
    const CallPrefixTable* prefixes;
    const Fib6* fib6;
    const PrefixTable* clients6;
    AdjacencyTable* adjacencies;
    const FilterTable* filters;
    const OwnAddresses* own;
    std::span<const PortSpec> ports;
    const PortTable* port_table;
    rte_mempool* mbufs;
    mppe::StatefulTable* stateful;
    uint32_t punt_rate;
    Reassembly::Options reassembly;
    IcmpErrorSpec icmp_errors;
    uint32_t neighbour_wait_ms;
    PathMtuTable* path_mtus;
    unsigned num_workers;
  };
  static absl::StatusOr<std::unique_ptr<Worker>> Create(unsigned index, const Shared& shared);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Connect tells where packets of other workers' calls go: to their hand_over ring for us.
  void Connect(std::span<const std::unique_ptr<Worker>> workers);

  // Worker's thread: Run until `stop`; RunOnce does one round and gives how much there was to do.
  void Run(const std::atomic<bool>& stop, IdleMode idle);
  unsigned RunOnce();

  // Control side, one thread at a time. Begin hands over a command and those that are `next`;
  // Finish waits for them while the worker `runs` (false only before its thread has begun and after
  // it has ended), else applies them itself.
  void Begin(Command* first);
  void Finish(const std::atomic<bool>& runs);
  [[nodiscard]] const WorkerCounters& counters() const { return counters_; }
  [[nodiscard]] const PortCountersBlock& port_counters(uint16_t port) const {
    return context_.port_counters[port];
  }
  [[nodiscard]] unsigned index() const { return context_.worker; }
  UnresolvedQueue& unresolved() { return context_.unresolved; }
  Ipv6UnresolvedQueue& ipv6_unresolved() { return context_.ipv6_unresolved; }
  EventQueue& events() { return context_.events; }
  Tracer& tracer() { return tracer_; }
  // Totals is what the counters say, and what waits now.
  [[nodiscard]] WorkerTotals Totals() const;

  // Rings to the outside; each has one consumer, and each ring to the inside one producer.
  MbufRing& punted_frames() { return *punted_frames_; }
  MbufRing& punted_clients() { return *punted_clients_; }
  MbufRing& punted_port(uint16_t port) { return *punted_ports_[port]; }
  MbufRing& inject_frames() { return *inject_frames_; }  // control frames, Packet filled
  MbufRing& inject_slow() { return *inject_slow_; }      // slow path; Packet::stage, port filled
  MbufRing& inject_calls() { return *inject_calls_; }    // client role; Packet filled

 private:
  struct Queue {  // mbufs on their way to one place
    static constexpr unsigned kSize = 2 * kBurst;
    rte_mbuf* mbufs[kSize];
    unsigned num = 0;
    bool waited = false;  // some have since the last round
  };

  // Burst steps of MPPE, whose engine works on kLanes packets side by side. Packets that are too
  // few wait for more, a round at most, while more come than a burst.
  static constexpr std::array<Stage, 2> kCryptStages = {Stage::kDecrypt, Stage::kEncrypt};

  Worker(unsigned index, const Shared& shared);
  [[nodiscard]] uint32_t HandOverDepth() const;
  [[nodiscard]] uint32_t PuntedDepth() const;
  absl::Status MakeRings();
  bool TakeCommands();
  unsigned PollKeepers();
  unsigned TakePorts();
  unsigned TakeRings();
  unsigned TakeRing(MbufRing* ring, bool is_new);
  void RunStages();
  void RunStagesFrom(Stage stage);
  [[nodiscard]] unsigned NumReady(Stage stage) const;
  void KeepReserved();
  void RunWaiting();
  void RunWaitingTooLong();
  void RunStage(Stage stage);
  void RunSpawned();
  void RunSteps(Stage stage, const StageSteps& steps, Packet* packet);
  void Follow(Packet* packet, Stage stage, Verdict verdict);
  Verdict RunTraced(Stage stage, const StageSteps& steps, Packet* packet);
  void Dispatch(Packet* packet, Stage stage, Verdict verdict);
  void Drop(Packet* packet, DropReason reason);
  void SendDueAcks(unsigned num_packets);
  void ReleaseReordered();
  void SweepCalls();
  void Enqueue(Stage stage, rte_mbuf* mbuf);
  void Flush();
  void FlushPort(uint16_t port);
  void FlushPuntedPort(uint16_t port);
  void FlushWorker(uint16_t worker);
  void FlushClients();
  void FlushFrames();
  uint16_t Send(const PortSpec& port, Queue* queue, PortCountersBlock* counters);
  unsigned FlushRing(Queue* queue, MbufRing* ring, uint64_t* counter, DropReason full);

  WorkerContext context_;
  Sweep sweep_;
  AdjacencyTable* adjacencies_;
  unsigned num_workers_;
  uint64_t tsc_per_ms_;
  uint64_t us_32_;  // 2^32 times the microseconds of a tick
  WorkerCounters counters_;
  Tracer tracer_;
  uint64_t stage_tsc_ = 0;  // when the last stage was over
  bool more_ = false;       // a port or ring gave a full burst: there may be more
  std::array<Queue, kNumStages> stages_;
  std::vector<Queue> to_ports_;
  std::vector<Queue> to_punted_ports_;
  std::vector<Queue> to_workers_;
  Queue to_punted_clients_;
  Queue to_punted_frames_;

  std::vector<std::unique_ptr<MbufRing>> hand_over_;  // from worker i
  std::vector<MbufRing*> hand_over_to_;               // worker i's ring for us
  std::vector<std::unique_ptr<MbufRing>> punted_ports_;
  std::unique_ptr<MbufRing> punted_clients_;
  std::unique_ptr<MbufRing> punted_frames_;
  std::unique_ptr<MbufRing> inject_frames_;
  std::unique_ptr<MbufRing> inject_slow_;
  std::unique_ptr<MbufRing> inject_calls_;  // of a client
  std::atomic<Command*> command_{nullptr};  // the next one; null: all are done
};

}  // namespace culvert::dataplane
