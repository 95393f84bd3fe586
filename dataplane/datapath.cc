#include "dataplane/datapath.h"

#include <absl/strings/str_cat.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>

#include "dataplane/call/call_registry.h"
#include "dataplane/call/call_table.h"
#include "dataplane/forwarding/adjacency.h"
#include "dataplane/forwarding/client_table.h"
#include "dataplane/forwarding/fib.h"
#include "dataplane/forwarding/port_table.h"
#include "dataplane/forwarding/route_book.h"
#include "dataplane/packet/vlan_tag.h"
#include "dataplane/worker/execute.h"
#include "dataplane/worker/trace/trace_text.h"
#include "dataplane/worker/worker.h"

namespace culvert::dataplane {
namespace {

class DatapathImpl final : public Datapath {
 public:
  explicit DatapathImpl(const DatapathSpec& spec)
      : spec_(spec), own_addresses_(spec.ports.size()), fib6_(spec.max_ipv6_routes) {}
  ~DatapathImpl() override { Stop(); }

  absl::Status Init();

  absl::Status Start() override;
  void Stop() override;
  unsigned RunWorkerOnce(unsigned i) override { return workers_[i]->RunOnce(); }

  void Program(std::span<CallOperation> operations) override { calls_->Program(operations); }
  std::vector<CallEntry> List() override { return calls_->List(); }
  absl::Status SetFilter(const FilterSpec& spec) override { return filters_->Set(spec); }
  absl::Status RemoveFilter(uint32_t id) override { return filters_->Remove(id); }
  std::vector<std::pair<uint64_t, CallTotals>> CallCounters() override {
    return calls_->Counters();
  }
  std::vector<WorkerTotals> WorkerCounters() override;
  std::vector<PortTraffic> PortCounters() override;
  void SetPortUp(uint16_t port, bool up) override { port_table_->SetUp(port, up); }

  bool SendFrame(uint64_t handle, wire::Octets frame) override;
  size_t ReceiveFrames(std::vector<PuntedFrame>* out, size_t max) override;

  size_t TakeEvents(std::vector<CallEvent>* out, size_t max) override;
  absl::Status StartTrace(uint64_t handle, uint32_t count) override;
  size_t TakeTrace(std::vector<TracedPacket>* out, size_t max) override;

  absl::StatusOr<unsigned> WorkerOf(uint64_t handle) override { return calls_->WorkerOf(handle); }
  unsigned ToCalls(unsigned worker, std::span<const CallPacket> packets) override;
  unsigned FromCalls(std::span<CallPacket> out) override;

  unsigned FromPort(uint16_t port, std::span<rte_mbuf*> out) override;
  unsigned FromClients(std::span<rte_mbuf*> out) override;
  bool ToPort(uint16_t port, rte_mbuf* frame) override;
  bool ToClients(rte_mbuf* packet) override;

  absl::Status SetRoute(uint32_t prefix, uint8_t len, const RouteTarget& target) override {
    return routes_->SetRoute(prefix, len, target);
  }
  absl::Status RemoveRoute(uint32_t prefix, uint8_t len) override {
    return routes_->RemoveRoute(prefix, len);
  }
  void SetNeighbour(uint16_t port, uint32_t address, const MacAddress& mac) override {
    routes_->SetNeighbour(port, address, mac);
  }
  void RemoveNeighbour(uint16_t port, uint32_t address) override {
    routes_->RemoveNeighbour(port, address);
  }
  absl::Status SetIpv6Route(Ipv6Number prefix, uint8_t len,
                            const Ipv6RouteTarget& target) override {
    return ipv6_routes_->SetRoute(prefix, len, target);
  }
  absl::Status RemoveIpv6Route(Ipv6Number prefix, uint8_t len) override {
    return ipv6_routes_->RemoveRoute(prefix, len);
  }
  void SetIpv6Neighbour(uint16_t port, Ipv6Number address, const MacAddress& mac) override {
    ipv6_routes_->SetNeighbour(port, address, mac);
  }
  void RemoveIpv6Neighbour(uint16_t port, Ipv6Number address) override {
    ipv6_routes_->RemoveNeighbour(port, address);
  }
  std::vector<std::pair<uint16_t, Ipv6Number>> TakeIpv6Unresolved() override {
    return TakeAll(&Worker::ipv6_unresolved);
  }
  OwnAddresses& own_addresses() override { return own_addresses_; }
  std::vector<std::pair<uint16_t, uint32_t>> TakeUnresolved() override;

 private:
  struct Launch {
    Worker* worker;
    const std::atomic<bool>* stop;
    IdleMode idle;
  };
  static int Main(void* argument);

  absl::Status CheckSpec() const;
  absl::Status MakeWorkers();
  void Execute(std::span<Command* const> commands) {
    const std::lock_guard lock(execute_mutex_);
    dataplane::Execute(commands, workers_, running_);
  }
  template <typename Queue>
  std::vector<typename Queue::NextHopAddress> TakeAll(Queue& (Worker::*queue)()) {
    std::vector<typename Queue::NextHopAddress> hosts;
    for (const auto& worker : workers_) {
      while (auto host = ((*worker).*queue)().Take()) {
        hosts.push_back(*host);
      }
    }
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    return hosts;
  }
  unsigned Collect(std::span<rte_mbuf*> out, MbufRing& (Worker::*ring)());

  DatapathSpec spec_;
  OwnAddresses own_addresses_;
  PathMtuTable path_mtus_;
  std::unique_ptr<CallTable> table_;
  std::unique_ptr<PortTable> port_table_;
  std::unique_ptr<mppe::StatefulTable> stateful_;
  std::unique_ptr<Fib> fib_;
  std::unique_ptr<ClientTable> clients_;
  std::unique_ptr<CallPrefixTable> prefixes_;
  std::unique_ptr<AdjacencyTable> adjacencies_;
  std::unique_ptr<FilterTable> filters_;
  std::unique_ptr<RouteBook> routes_;
  Fib6 fib6_;
  PrefixTable clients6_;
  std::unique_ptr<Ipv6RouteBook> ipv6_routes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<CallRegistry> calls_;
  std::vector<Launch> launches_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stop_{false};
  std::mutex execute_mutex_;              // one command at a time for each worker
  std::mutex frames_mutex_;               // one producer at a time for the workers' frame rings
  std::atomic<uint64_t> inject_full_{0};  // what the control side could not hand to worker 0
};

absl::Status DatapathImpl::CheckSpec() const {
  if (spec_.worker_lcores.empty() || spec_.worker_lcores.size() > UINT16_MAX) {
    return absl::InvalidArgumentError("worker_lcores: at least one is needed");
  }
  if (spec_.mbufs == nullptr || rte_pktmbuf_priv_size(spec_.mbufs) < kMbufPrivateLen) {
    return absl::InvalidArgumentError(
        absl::StrCat("mbufs: the pool needs a private area of ", kMbufPrivateLen, " octets"));
  }
  return absl::OkStatus();
}

absl::Status DatapathImpl::Init() {
  if (absl::Status status = CheckSpec(); !status.ok()) {
    return status;
  }
  const auto num_workers = static_cast<unsigned>(spec_.worker_lcores.size());
  auto table = CallTable::Create(spec_.max_local_addresses);
  if (!table.ok()) {
    return table.status();
  }
  table_ = std::move(*table);
  port_table_ = std::make_unique<PortTable>(spec_.ports);
  auto stateful = mppe::StatefulTable::Create(table_->size());
  if (!stateful.ok()) {
    return stateful.status();
  }
  stateful_ = std::move(*stateful);
  auto fib = Fib::Create(spec_.max_routes);
  if (!fib.ok()) {
    return fib.status();
  }
  fib_ = std::move(*fib);
  auto clients = ClientTable::Create();
  if (!clients.ok()) {
    return clients.status();
  }
  clients_ = std::move(*clients);
  auto prefixes = CallPrefixTable::Create();
  if (!prefixes.ok()) {
    return prefixes.status();
  }
  prefixes_ = std::move(*prefixes);
  auto adjacencies = AdjacencyTable::Create(num_workers);
  if (!adjacencies.ok()) {
    return adjacencies.status();
  }
  adjacencies_ = std::move(*adjacencies);
  filters_ = std::make_unique<FilterTable>(adjacencies_->qsbr());
  routes_ =
      std::make_unique<RouteBook>(fib_.get(), clients_.get(), adjacencies_.get(), spec_.ports);
  ipv6_routes_ =
      std::make_unique<Ipv6RouteBook>(&fib6_, &clients6_, adjacencies_.get(), spec_.ports);
  if (absl::Status status = MakeWorkers(); !status.ok()) {
    return status;
  }
  uint16_t outer_mtu = UINT16_MAX;
  for (const PortSpec& port : spec_.ports) {
    outer_mtu = std::min(outer_mtu, port.mtu);
  }
  calls_ = std::make_unique<CallRegistry>(
      spec_.role, table_.get(), routes_.get(), ipv6_routes_.get(), prefixes_.get(), filters_.get(),
      num_workers, outer_mtu, [this](std::span<Command* const> commands) { Execute(commands); });
  return absl::OkStatus();
}

absl::Status DatapathImpl::MakeWorkers() {
  const auto num_workers = static_cast<unsigned>(spec_.worker_lcores.size());
  const Worker::Shared shared{.role = spec_.role,
                              .calls = table_.get(),
                              .fib = fib_.get(),
                              .clients = clients_.get(),
                              .prefixes = prefixes_.get(),
                              .fib6 = &fib6_,
                              .clients6 = &clients6_,
                              .adjacencies = adjacencies_.get(),
                              .filters = filters_.get(),
                              .own = &own_addresses_,
                              .ports = spec_.ports,
                              .port_table = port_table_.get(),
                              .mbufs = spec_.mbufs,
                              .stateful = stateful_.get(),
                              .punt_rate = spec_.punt_rate,
                              .reassembly = spec_.reassembly,
                              .icmp_errors = spec_.icmp_errors,
                              .neighbour_wait_ms = spec_.neighbour_wait_ms,
                              .path_mtus = &path_mtus_,
                              .num_workers = num_workers};
  for (unsigned i = 0; i < num_workers; ++i) {
    auto worker = Worker::Create(i, shared);
    if (!worker.ok()) {
      return worker.status();
    }
    workers_.push_back(std::move(*worker));
  }
  for (const auto& worker : workers_) {
    worker->Connect(workers_);
  }
  return absl::OkStatus();
}

int DatapathImpl::Main(void* argument) {
  const auto* launch = static_cast<const Launch*>(argument);
  launch->worker->Run(*launch->stop, launch->idle);
  return 0;
}

absl::Status DatapathImpl::Start() {
  for (const auto& worker : workers_) {
    launches_.push_back({worker.get(), &stop_, spec_.idle});
  }
  running_ = true;
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (rte_eal_remote_launch(Main, &launches_[i], spec_.worker_lcores[i]) != 0) {
      Stop();
      return absl::FailedPreconditionError(
          absl::StrCat("lcore ", spec_.worker_lcores[i], " is busy or unknown to EAL"));
    }
  }
  return absl::OkStatus();
}

void DatapathImpl::Stop() {
  if (!running_) {
    return;
  }
  stop_ = true;
  for (const unsigned lcore : spec_.worker_lcores) {
    rte_eal_wait_lcore(lcore);
  }
  running_ = false;
}

std::vector<WorkerTotals> DatapathImpl::WorkerCounters() {
  std::vector<WorkerTotals> totals;
  for (const auto& worker : workers_) {
    totals.push_back(worker->Totals());
  }
  totals[0].drops[static_cast<size_t>(DropReason::inject_full)].packets += inject_full_;
  return totals;
}

std::vector<PortTraffic> DatapathImpl::PortCounters() {
  std::vector<PortTraffic> ports(spec_.ports.size());
  for (uint16_t i = 0; i < ports.size(); ++i) {
    for (const auto& worker : workers_) {
      const PortCountersBlock& counters = worker->port_counters(i);
      ports[i].rx_packets += Load(counters.rx_packets);
      ports[i].rx_octets += Load(counters.rx_octets);
      ports[i].tx_packets += Load(counters.tx_packets);
      ports[i].tx_octets += Load(counters.tx_octets);
      ports[i].tap_full += Load(counters.tap_full);
      ports[i].transmit_full += Load(counters.transmit_full);
      ports[i].down += Load(counters.down);
    }
  }
  return ports;
}

bool DatapathImpl::SendFrame(uint64_t handle, wire::Octets frame) {
  const absl::StatusOr<unsigned> worker = calls_->WorkerOf(handle);
  rte_mbuf* mbuf = worker.ok() ? rte_pktmbuf_alloc(spec_.mbufs) : nullptr;
  if (mbuf == nullptr) {
    ++inject_full_;
    return false;
  }
  char* data =
      rte_pktmbuf_append(mbuf, static_cast<uint16_t>(std::min<size_t>(frame.size(), 65535)));
  const std::lock_guard lock(frames_mutex_);
  Packet& packet = ResetPacket(mbuf);
  packet.call_index = HandleIndex(handle);
  packet.generation = HandleGeneration(handle);
  packet.stage = Stage::kControl;
  if (data != nullptr) {
    std::memcpy(data, frame.data(), frame.size());
  }
  if (data == nullptr || workers_[*worker]->inject_frames().Put(&mbuf, 1) == 0) {
    ++inject_full_;
    rte_pktmbuf_free(mbuf);
    return false;
  }
  return true;
}

size_t DatapathImpl::ReceiveFrames(std::vector<PuntedFrame>* out, size_t max) {
  size_t total = 0;
  for (const auto& worker : workers_) {
    rte_mbuf* mbuf = nullptr;
    while (total < max && worker->punted_frames().Take(&mbuf, 1) == 1) {
      Packet& packet = PacketOf(mbuf);
      const auto payload = packet.payload();
      out->push_back({MakeHandle(packet.generation, packet.call_index),
                      std::vector<uint8_t>(payload.begin(), payload.end())});
      rte_pktmbuf_free(mbuf);
      ++total;
    }
  }
  return total;
}

size_t DatapathImpl::TakeEvents(std::vector<CallEvent>* out, size_t max) {
  size_t total = 0;
  for (const auto& worker : workers_) {
    while (total < max) {
      const std::optional<CallEvent> event = worker->events().Take();
      if (!event) {
        break;
      }
      out->push_back(*event);
      ++total;
    }
  }
  return total;
}

// Packets reach other workers first, so all of them look out for the call.
absl::Status DatapathImpl::StartTrace(uint64_t handle, uint32_t count) {
  if (count > 0) {
    if (const auto worker = calls_->WorkerOf(handle); !worker.ok()) {
      return worker.status();
    }
  }
  for (const auto& worker : workers_) {
    Command command{.kind = Command::Kind::kTrace,
                    .worker = worker->index(),
                    .trace_handle = handle,
                    .trace_count = count};
    Command* const one = &command;
    Execute({&one, 1});
    while (worker->tracer().Take()) {  // left over from the trace before
    }
  }
  return absl::OkStatus();
}

size_t DatapathImpl::TakeTrace(std::vector<TracedPacket>* out, size_t max) {
  const uint64_t now_tsc = rte_rdtsc();
  const int64_t now_ns = std::chrono::nanoseconds(  //
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  size_t total = 0;
  for (unsigned i = 0; i < workers_.size(); ++i) {
    while (total < max) {
      const auto record = workers_[i]->tracer().Take();
      if (!record) {
        break;
      }
      out->push_back(Describe(*record, now_tsc, now_ns));
      out->back().worker = i;
      ++total;
    }
  }
  return total;
}

unsigned DatapathImpl::ToCalls(unsigned worker, std::span<const CallPacket> packets) {
  constexpr unsigned kAtOnce = 64;
  unsigned taken = 0;
  while (taken < packets.size()) {
    rte_mbuf* mbufs[kAtOnce];
    const auto num = static_cast<unsigned>(std::min<size_t>(kAtOnce, packets.size() - taken));
    for (unsigned i = 0; i < num; ++i) {
      const CallPacket& from = packets[taken + i];
      Packet& packet = ResetPacket(from.mbuf);
      packet.call_index = HandleIndex(from.handle);
      packet.generation = HandleGeneration(from.handle);
      packet.length = rte_pktmbuf_data_len(from.mbuf);
      packet.stage = Stage::kKernel;
      mbufs[i] = from.mbuf;
    }
    const unsigned put = workers_[worker]->inject_calls().Put(mbufs, num);
    taken += put;
    if (put < num) {
      break;
    }
  }
  return taken;
}

unsigned DatapathImpl::FromCalls(std::span<CallPacket> out) {
  constexpr unsigned kAtOnce = 64;
  rte_mbuf* mbufs[kAtOnce];
  const unsigned num = FromClients(std::span(mbufs).first(std::min<size_t>(kAtOnce, out.size())));
  for (unsigned i = 0; i < num; ++i) {
    const Packet& packet = PacketOf(mbufs[i]);
    out[i] = {MakeHandle(packet.generation, packet.call_index), mbufs[i]};
  }
  return num;
}

unsigned DatapathImpl::FromPort(uint16_t port, std::span<rte_mbuf*> out) {
  unsigned num = 0;
  for (const auto& worker : workers_) {
    num += worker->punted_port(port).Take(&out[num], static_cast<unsigned>(out.size()) - num);
  }
  return num;
}

unsigned DatapathImpl::FromClients(std::span<rte_mbuf*> out) {
  unsigned num = 0;
  for (const auto& worker : workers_) {
    num += worker->punted_clients().Take(&out[num], static_cast<unsigned>(out.size()) - num);
  }
  return num;
}

// The slow path has one producer, so one worker takes all of its packets, and their order stays.
bool DatapathImpl::ToPort(uint16_t port, rte_mbuf* frame) {
  Packet& packet = ResetPacket(frame);
  packet.port = port;
  packet.stage = Stage::kCount;
  if (!AddTag(spec_.ports[port].vlan, frame)) {
    ++inject_full_;
    return false;
  }
  if (workers_[0]->inject_slow().Put(&frame, 1) == 0) {
    ++inject_full_;
    return false;
  }
  return true;
}

bool DatapathImpl::ToClients(rte_mbuf* packet) {
  Packet& fresh = ResetPacket(packet);
  fresh.length = rte_pktmbuf_data_len(packet);
  const bool ipv6 = fresh.length > 0 && *rte_pktmbuf_mtod(packet, const uint8_t*) >> 4 == 6;
  fresh.stage = ipv6 ? Stage::kKernel6 : Stage::kKernel;
  if (workers_[0]->inject_slow().Put(&packet, 1) == 0) {
    ++inject_full_;
    return false;
  }
  return true;
}

std::vector<std::pair<uint16_t, uint32_t>> DatapathImpl::TakeUnresolved() {
  return TakeAll(&Worker::unresolved);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Datapath>> Datapath::Create(const DatapathSpec& spec) {
  auto datapath = std::make_unique<DatapathImpl>(spec);
  if (absl::Status status = datapath->Init(); !status.ok()) {
    return status;
  }
  return datapath;
}

}  // namespace culvert::dataplane
