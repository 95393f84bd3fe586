#include "dataplane/worker/worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "dataplane/mppe/lanes/lanes.h"
#include "dataplane/reorder/reorder.h"
#include "dataplane/steps/downstream/acknowledgement.h"
#include "dataplane/steps/forward/unresolved_neighbour.h"
#include "dataplane/steps/input/outer_fragment.h"
#include "dataplane/worker/stages.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

constexpr unsigned kRingSize = 4096;
constexpr unsigned kFrameRingSize = 8192;
static_assert(2 * kBurst <= mppe::Receiver::kMaxFrames && 2 * kBurst <= mppe::Sender::kMaxFrames);

// What the first two stages read of each packet: the mbuf, its Packet, and the headers, which take
// two cache lines. Where a port puts them is reckoned, since reading it would wait for the mbuf.
void Prefetch(std::span<rte_mbuf* const> mbufs) {
  constexpr size_t kData = sizeof(rte_mbuf) + kMbufPrivateLen + RTE_PKTMBUF_HEADROOM;
  for (rte_mbuf* mbuf : mbufs) {
    const auto* memory = reinterpret_cast<const uint8_t*>(mbuf);
    rte_prefetch0(memory);
    rte_prefetch0(memory + kData);
    rte_prefetch0(memory + kData + RTE_CACHE_LINE_SIZE);
    rte_prefetch0(memory + sizeof(rte_mbuf));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(unsigned index, const Shared& shared) {
  std::unique_ptr<Worker> worker(new Worker(index, shared));
  worker->context_.sha1 = mppe::Sha1::Create();
  worker->context_.mppe =
      std::make_unique<mppe::WorkerMppe>(mppe::Engine::Create(), shared.stateful);
  if (worker->context_.sha1 == nullptr || worker->context_.mppe->engine == nullptr) {
    return absl::InternalError("ipsec-mb does not work on this processor");
  }
  if (absl::Status status = worker->MakeRings(); !status.ok()) {
    return status;
  }
  return worker;
}

Worker::Worker(unsigned index, const Shared& shared)
    : sweep_(shared.calls->size()),
      adjacencies_(shared.adjacencies),
      num_workers_(shared.num_workers),
      tsc_per_ms_(rte_get_tsc_hz() / 1000),
      us_32_((uint64_t{1} << 32) * 1000 / tsc_per_ms_),
      to_ports_(shared.ports.size()),
      to_punted_ports_(shared.ports.size()),
      to_workers_(shared.num_workers) {
  context_.worker = static_cast<uint16_t>(index);
  context_.punt_rate = shared.punt_rate;
  context_.ports = shared.ports;
  context_.port_table = shared.port_table;
  for (const PortSpec& port : shared.ports) {
    context_.tx_checksum = context_.tx_checksum || port.tx_checksum;
  }
  context_.is_client = shared.role == DatapathRole::kClient;
  if (context_.is_client) {
    context_.from_calls = Verdict::PuntClients();
  }
  context_.port_counters = std::make_unique<PortCountersBlock[]>(shared.ports.size());
  context_.calls = shared.calls;
  context_.fib = shared.fib;
  context_.clients = shared.clients;
  context_.prefixes = shared.prefixes;
  context_.fib6 = shared.fib6;
  context_.clients6 = shared.clients6;
  context_.adjacencies = shared.adjacencies;
  context_.filters = shared.filters;
  context_.mbufs = shared.mbufs;
  context_.counters = &counters_;
  context_.own = shared.own;
  context_.sweep = &sweep_;
  context_.reassembly = std::make_unique<Reassembly>(shared.reassembly);
  // Held packets must not starve the ports' queues.
  context_.reorder.SetMaxPackets(shared.mbufs->size / (8 * shared.num_workers));
  context_.error_limit = std::make_unique<ErrorLimit>(shared.icmp_errors);
  context_.path_mtus = shared.path_mtus;
  context_.neighbour_wait = std::make_unique<NeighbourWait>(shared.neighbour_wait_ms);
}

Worker::~Worker() {
  for (const Stage stage : kCryptStages) {
    Queue& queue = stages_[static_cast<unsigned>(stage)];
    rte_pktmbuf_free_bulk(queue.mbufs, queue.num);
  }
}

absl::Status Worker::MakeRings() {
  bool ok = true;
  auto make = [&ok](unsigned size) {
    auto ring = MbufRing::Create(size);
    ok = ok && ring != nullptr;
    return ring;
  };
  for (unsigned i = 0; i < num_workers_; ++i) {
    hand_over_.push_back(make(kRingSize));
  }
  for (size_t i = 0; i < to_ports_.size(); ++i) {
    punted_ports_.push_back(make(kRingSize));
  }
  punted_clients_ = make(kRingSize);
  punted_frames_ = make(kFrameRingSize);
  inject_frames_ = make(kFrameRingSize);
  inject_slow_ = make(kRingSize);
  if (context_.is_client) {
    inject_calls_ = make(kRingSize);
  }
  return ok ? absl::OkStatus()
            : absl::ResourceExhaustedError(
                  "worker rings: no memory; give dataplane.memory_mb more");
}

void Worker::Connect(std::span<const std::unique_ptr<Worker>> workers) {
  for (const auto& worker : workers) {
    hand_over_to_.push_back(worker->hand_over_[context_.worker].get());
  }
}

void Worker::Run(const std::atomic<bool>& stop, IdleMode idle) {
  // After this many empty rounds in sleep mode a round costs up to kSleep more, and so may a
  // packet.
  constexpr unsigned kEmptyRounds = 256;
  constexpr auto kSleep = std::chrono::microseconds(50);
  adjacencies_->GoOnline(context_.worker);
  unsigned empty = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    empty = RunOnce() == 0 ? empty + 1 : 0;
    adjacencies_->ReportQuiescent(context_.worker);
    if (idle == IdleMode::kSleep && empty > kEmptyRounds) {
      std::this_thread::sleep_for(kSleep);
    }
  }
  adjacencies_->GoOffline(context_.worker);
}

unsigned Worker::RunOnce() {
  context_.now_tsc = rte_rdtsc();
  context_.now_ms = static_cast<uint32_t>(context_.now_tsc / tsc_per_ms_);
  context_.route_epoch = context_.fib->epoch();
  for (const Stage stage : kCryptStages) {
    Queue& queue = stages_[static_cast<unsigned>(stage)];
    queue.waited = queue.num > 0;
  }
  KeepReserved();
  const unsigned num_commands = TakeCommands() ? 1 : 0;
  if (PollNeighbours(&context_)) {
    RunSpawned();
    RunStages();
  }
  const unsigned num = PollKeepers() + TakePorts() + TakeRings();
  ReleaseReordered();
  SendDueAcks(num);
  SweepCalls();
  ExpireOuterFragments(&context_);
  RunWaitingTooLong();
  counters_.rounds.Count(rte_rdtsc() - context_.now_tsc, us_32_);
  return num + num_commands;  // where one came from there are more: no reason to sleep
}

// PollKeepers runs what keepers have released; gives the calls that make them work.
unsigned Worker::PollKeepers() {
  const unsigned num = context_.mppe->catch_ups.Poll(&context_);
  if (!context_.spawned.empty()) {
    RunSpawned();
    RunStages();
  }
  return num;
}

unsigned Worker::TakePorts() {
  unsigned total = 0;
  more_ = false;
  Queue& input = stages_[static_cast<unsigned>(Stage::kInput)];
  for (const uint16_t port : context_.port_table->polled()) {
    const uint16_t num =
        rte_eth_rx_burst(context_.ports[port].dpdk_port, context_.worker, input.mbufs, kBurst);
    if (num == 0) {
      continue;
    }
    Prefetch({input.mbufs, num});
    for (uint16_t i = 0; i < num; ++i) {
      ResetPacket(input.mbufs[i]).port = port;
    }
    input.num = num;
    total += num;
    more_ = more_ || num == kBurst;
    RunStages();
  }
  Add(&counters_.received, total);
  return total;
}

unsigned Worker::TakeRings() {
  unsigned total = 0;
  for (unsigned i = 0; i < num_workers_; ++i) {
    if (i != context_.worker) {
      total += TakeRing(hand_over_[i].get(), false);
    }
  }
  if (inject_calls_ != nullptr) {
    total += TakeRing(inject_calls_.get(), true);
  }
  return total + TakeRing(inject_frames_.get(), true) + TakeRing(inject_slow_.get(), true);
}

// TakeRing takes packets that know their stage.
unsigned Worker::TakeRing(MbufRing* ring, bool is_new) {
  rte_mbuf* mbufs[kBurst];
  const unsigned num = ring->Take(mbufs, kBurst);
  if (num == 0) {
    return 0;
  }
  more_ = more_ || num == kBurst;
  Prefetch({mbufs, num});  // another core has them
  for (unsigned i = 0; i < num; ++i) {
    Packet& packet = PacketOf(mbufs[i]);
    if (packet.stage == Stage::kCount) {  // a frame for a port, as it is
      Dispatch(&packet, packet.stage, Verdict::Transmit(packet.port));
    } else {
      rte_prefetch0(&context_.calls->At(packet.call_index));
      Enqueue(packet.stage, mbufs[i]);
    }
  }
  if (is_new) {
    Add(&counters_.received, num);
  }
  RunStages();
  return num;
}

void Worker::RunStages() {
  stage_tsc_ = rte_rdtsc();
  bool again = true;
  while (again) {
    RunStagesFrom(static_cast<Stage>(0));
    again = false;
    for (unsigned i = 0; i < kNumStages; ++i) {  // a spawned packet may have begun further up
      again = again || NumReady(static_cast<Stage>(i)) > 0;
    }
  }
  if (const unsigned lost = context_.spawned.TakeLost(); lost > 0) {
    Add(&counters_.drops[static_cast<size_t>(DropReason::spawn_full)], lost);
  }
  Flush();
}

void Worker::RunStagesFrom(Stage stage) {
  for (auto i = static_cast<unsigned>(stage); i < kNumStages; ++i) {
    if (NumReady(static_cast<Stage>(i)) > 0) {
      RunStage(static_cast<Stage>(i));
    }
  }
}

inline unsigned Worker::NumReady(Stage stage) const {
  const unsigned num = stages_[static_cast<unsigned>(stage)].num;
  const bool is_crypt = stage == Stage::kDecrypt || stage == Stage::kEncrypt;
  return more_ && is_crypt ? num - num % mppe::kLanes : num;
}

// RunStage works on a copy of the queue: its packets may fill the queue again, and a full queue
// further down runs at once. The first packets run; `waited` is over for all, since it takes eight
// to run at all.
void Worker::RunStage(Stage stage) {
  Queue& queue = stages_[static_cast<unsigned>(stage)];
  rte_mbuf* mbufs[Queue::kSize];
  const unsigned num = NumReady(stage);
  std::copy_n(queue.mbufs, num, mbufs);
  queue.num -= num;
  std::copy_n(queue.mbufs + num, queue.num, queue.mbufs);
  queue.waited = false;
  const StageSteps& steps = StepsOf(stage);
  if (steps.run != nullptr) {
    for (unsigned i = 0; i < num; ++i) {
      RunSteps(stage, steps, &PacketOf(mbufs[i]));
      if (!context_.spawned.empty()) {
        RunSpawned();
      }
    }
  } else {
    Verdict verdicts[Queue::kSize];
    steps.burst({mbufs, num}, verdicts, context_);
    for (unsigned i = 0; i < num; ++i) {
      if (tracer_.active()) {
        tracer_.See(PacketOf(mbufs[i]), stage, 0, verdicts[i], context_.now_tsc);
      }
      Follow(&PacketOf(mbufs[i]), stage, verdicts[i]);
    }
    RunSpawned();
  }
  const uint64_t start = std::exchange(stage_tsc_, rte_rdtsc());
  StageCounters& counters = counters_.stages[static_cast<unsigned>(stage)];
  Add(&counters.packets, num);
  Add(&counters.ticks, stage_tsc_ - start);
}

// RunSpawned runs what the last packet's steps have made, so that it stays in its place.
void Worker::RunSpawned() {
  Stage stage{};
  Packet* packet = nullptr;
  while (!context_.spawned.empty() && context_.spawned.Take(&stage, &packet)) {
    const StageSteps& steps = StepsOf(stage);
    if (steps.run == nullptr) {
      Enqueue(stage, packet->mbuf());
    } else {
      RunSteps(stage, steps, packet);
    }
  }
}

inline void Worker::RunSteps(Stage stage, const StageSteps& steps, Packet* packet) {
  const Verdict verdict =
      tracer_.active() ? RunTraced(stage, steps, packet) : steps.run(*packet, context_);
  Follow(packet, stage, verdict);
}

// Follow is Dispatch for where most packets go.
inline void Worker::Follow(Packet* packet, Stage stage, Verdict verdict) {
  if (verdict.kind() == Verdict::Kind::kGoTo) {
    return Enqueue(verdict.stage(), packet->mbuf());
  }
  if (verdict.kind() == Verdict::Kind::kTransmit) {
    if (Queue& queue = to_ports_[verdict.value()]; queue.num < Queue::kSize) {
      queue.mbufs[queue.num++] = packet->mbuf();
      return;
    }
  }
  Dispatch(packet, stage, verdict);
}

Verdict Worker::RunTraced(Stage stage, const StageSteps& steps, Packet* packet) {
  Verdict verdict = Verdict::Next();
  for (unsigned i = 0; verdict.IsNext(); ++i) {
    verdict = steps.steps[i].step(*packet, context_);
    tracer_.See(*packet, stage, i, verdict, context_.now_tsc);
  }
  return verdict;
}

void Worker::Enqueue(Stage stage, rte_mbuf* mbuf) {
  Queue& queue = stages_[static_cast<unsigned>(stage)];
  queue.mbufs[queue.num++] = mbuf;
  // Full: at once, and with this packet in it, for what is spawned there is behind it.
  if (queue.num == Queue::kSize) {
    RunStagesFrom(stage);
  }
}

void Worker::Dispatch(Packet* packet, Stage stage, Verdict verdict) {
  // A full queue goes out at once.
  const auto append = [&](Queue& queue, auto flush) {
    if (queue.num == Queue::kSize) {
      flush();
    }
    queue.mbufs[queue.num++] = packet->mbuf();
  };
  const uint16_t value = verdict.value();
  switch (verdict.kind()) {
    case Verdict::Kind::kGoTo:
      return Enqueue(verdict.stage(), packet->mbuf());
    case Verdict::Kind::kTransmit:
      return append(to_ports_[value], [&] { FlushPort(value); });
    case Verdict::Kind::kNext:
    case Verdict::Kind::kHold:
      return;
    case Verdict::Kind::kDrop:
      return Drop(packet, verdict.reason());
    case Verdict::Kind::kConsume:
      Add(&counters_.consumed, 1);
      return rte_pktmbuf_free(packet->mbuf());
    case Verdict::Kind::kPuntPort:
      return append(to_punted_ports_[packet->port], [&] { FlushPuntedPort(packet->port); });
    case Verdict::Kind::kPuntClients:
      packet->generation = packet->call->generation;
      return append(to_punted_clients_, [&] { FlushClients(); });
    case Verdict::Kind::kPuntFrame:
      return append(to_punted_frames_, [&] { FlushFrames(); });
    case Verdict::Kind::kHandOver:
      packet->stage = stage;
      packet->call = nullptr;
      return append(to_workers_[value], [&] { FlushWorker(value); });
  }
}

void Worker::Drop(Packet* packet, DropReason reason) {
  Add(&counters_.drops[static_cast<size_t>(reason)], 1);
  if (packet->call != nullptr) {
    CallMore& more = packet->call->more();
    Add(packet->downstream ? &more.downstream_drops : &more.upstream_drops, 1);
    if (packet->downstream && packet->protocol == wire::ppp::kMppe) {
      mppe::Sender::NoteLost(context_.now_ms, &packet->call->send());
    }
  }
  rte_pktmbuf_free(packet->mbuf());
}

// What waited for packets before it goes on without them.
void Worker::ReleaseReordered() {
  // A round's share, so that new packets do not wait.
  constexpr unsigned kMaxCalls = 16;
  constexpr unsigned kEnoughPackets = 2 * kBurst;
  unsigned num = 0;
  unsigned num_packets = 0;
  while (num < kMaxCalls && num_packets < kEnoughPackets && ReleaseDue(&context_)) {
    num_packets += context_.spawned.num();
    RunSpawned();
    ++num;
  }
  if (num > 0) {
    RunStages();
  }
}

void Worker::SweepCalls() {
  sweep_.Run(&context_);
  if (!context_.spawned.empty()) {
    RunSpawned();
    RunStages();
  }
}

// SendDueAcks sends few a round, so that new packets do not wait: as calls begin to talk together
// their acknowledgements fall due together. No more than one a packet ever does, and an idle
// worker's rounds are many.
void Worker::SendDueAcks(unsigned num_packets) {
  constexpr unsigned kLeast = 8;
  unsigned left = std::max(kLeast, num_packets / 2);
  AckQueue::Entry entry;
  bool any = false;
  while (left > 0 && context_.spawned.Room() > 0 &&
         context_.acks.TakeDue(context_.now_ms, &entry)) {
    --left;
    if (uint32_t next = 0; context_.acks.Ahead(&next)) {
      rte_prefetch0(&context_.calls->At(next));
    }
    Call& call = context_.calls->At(entry.call_index);
    if (Load(call.generation) != entry.generation || Load(call.owner) != context_.worker) {
      continue;
    }
    call.ack_queued = 0;
    if (call.ack_due != 0) {
      SpawnAcknowledgement(&call, entry.call_index, &context_);
      any = true;
    }
  }
  if (any) {
    RunSpawned();
    RunStages();
  }
}

}  // namespace culvert::dataplane
