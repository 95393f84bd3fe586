#include "tools/load/ports/port_tunnels.h"

#include <fmt/format.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

#include "dataplane/call/call.h"
#include "dataplane/mppe/wipe.h"
#include "dataplane/netlink/interface_setup.h"
#include "proto/config/address/address.h"
#include "tools/load/ports/client_config.h"

namespace culvert::load {

namespace {

constexpr uint16_t kReceiveWindow = 64;
constexpr uint16_t kAckDelayMs = 50;  // RFC 2637 s4.2: together with data where there is some
constexpr unsigned kMaxBatches = 16;  // before timers get their turn
constexpr uint64_t kTickMs = 100;

// WithoutSection: the data plane's messages name the keys of its own configuration.
std::string WithoutSection(std::string text) {
  constexpr std::string_view kSection = "dataplane.";
  for (size_t at = 0; (at = text.find(kSection, at)) != std::string::npos;) {
    text.erase(at, kSection.size());
  }
  return text;
}

// SetKey gives false when the method of authentication gave no key of that length.
bool SetKey(const Secret& secret, uint16_t bits, uint32_t epoch, bool stateful,
            std::optional<dataplane::MppeKeySpec>* out) {
  if (bits == 0 || secret.octets().size() != dataplane::mppe::KeyLen(bits)) {
    return false;
  }
  *out =
      dataplane::MppeKeySpec{.bits = bits, .epoch = epoch, .start_key = {}, .stateful = stateful};
  std::copy(secret.octets().begin(), secret.octets().end(), (*out)->start_key.begin());
  return true;
}

void Wipe(std::optional<dataplane::MppeKeySpec>* key) {
  if (key->has_value()) {
    dataplane::mppe::Wipe((*key)->start_key.data(), (*key)->start_key.size());
  }
}

}  // namespace

PortTunnels::PortTunnels(Owner* owner, const Plan* plan) : owner_(owner), plan_(plan) {}

PortTunnels::~PortTunnels() {
  for (Batch& batch : out_) {
    for (unsigned i = 0; i < batch.num; ++i) {
      rte_pktmbuf_free(batch.packets[i].mbuf);
    }
  }
}

std::string PortTunnels::Open() {
  const ClientConfig made = MakeClientConfig(*plan_);
  if (!made.problem.empty()) {
    return WithoutSection(made.problem);
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("culvert-load"));
  spdlog::set_level(spdlog::level::warn);
  spdlog::set_pattern("%n: %v");
  auto process = dataplane::Process::StartClient(made.config);
  if (!process.ok()) {
    return WithoutSection(std::string(process.status().message()));
  }
  process_ = *std::move(process);
  datapath_ = process_->datapath();
  out_.resize(static_cast<size_t>(plan_->worker_cores_size()));
  process_->Tick();
  return RouteServers();
}

// RouteServers has the servers reached by the gateway. What is wrong, or an empty string.
std::string PortTunnels::RouteServers() const {
  if (plan_->gateway().empty()) {
    return "";
  }
  const dataplane::TunDevice& tap = process_->tap(0);
  std::vector<std::string> servers;
  for (const std::string& server : plan_->server()) {
    if (std::find(servers.begin(), servers.end(), server + "/32") == servers.end()) {
      servers.push_back(server + "/32");
    }
  }
  const absl::Status status =
      dataplane::AddRoutes(tap.name(), tap.index(), servers, *config::ParseIpv4(plan_->gateway()));
  return status.ok()
             ? ""
             : fmt::format("gateway {}: {}", plan_->gateway(), std::string(status.message()));
}

int64_t PortTunnels::MaxWaitUs(int64_t wait_us) {
  // Who looks at rings is told by nobody; a wait bounds a packet's delay.
  constexpr unsigned kBusyRounds = 16, kShortRounds = 64;
  constexpr int64_t kShortWaitUs = 100, kLongWaitUs = 1000;
  if (plan_->idle() == "poll" || idle_rounds_ < kBusyRounds) {
    return 0;
  }
  return std::min(wait_us, idle_rounds_ < kShortRounds ? kShortWaitUs : kLongWaitUs);
}

void PortTunnels::Begin(uint32_t call, const Ends& ends) {
  if (call >= states_.size()) {
    states_.resize(call + 1);
  }
  End(call);
  states_[call].ends = ends;
}

std::string PortTunnels::Connect(uint32_t call, uint16_t server_id) {
  State& state = states_[call];
  state.ends.server_id = server_id;
  dataplane::CallSpec spec = SpecOf(state);
  if (std::string wrong = Program(&state, &spec); !wrong.empty()) {
    return wrong;
  }
  const auto worker = datapath_->WorkerOf(state.handle);
  if (!worker.ok()) {
    return std::string(worker.status().message());
  }
  state.worker = static_cast<uint16_t>(*worker);
  const uint32_t index = dataplane::HandleIndex(state.handle);
  const size_t table = index / dataplane::kCallsPerAddress;
  if (table >= calls_.size()) {
    calls_.resize(table + 1);
  }
  calls_[table].resize(dataplane::kCallsPerAddress, Owner::kNone);
  calls_[table][index % dataplane::kCallsPerAddress] = call;
  return "";
}

dataplane::CallSpec PortTunnels::SpecOf(const State& state) const {
  dataplane::CallSpec spec;
  spec.handle = state.handle;
  spec.local_address = state.ends.client;
  spec.peer_address = state.ends.server;
  spec.call_id = state.ends.client_id;
  spec.peer_call_id = state.ends.server_id;
  spec.client_address = state.address;
  spec.require_encryption = plan_->mppe() != 0;
  spec.receive_window = kReceiveWindow;
  spec.ack_delay_ms = kAckDelayMs;
  // A key whose epoch stays is not looked at: it runs on.
  for (const auto& [key, out] :
       {std::pair{&state.send, &spec.send}, std::pair{&state.receive, &spec.receive}}) {
    if (key->bits != 0) {
      *out = dataplane::MppeKeySpec{
          .bits = key->bits, .epoch = key->epoch, .start_key = {}, .stateful = key->stateful};
    }
  }
  return spec;
}

std::string PortTunnels::Program(State* state, dataplane::CallSpec* spec) {
  const absl::StatusOr<uint64_t> handle = datapath_->Upsert(*spec);
  Wipe(&spec->send);
  Wipe(&spec->receive);
  if (!handle.ok()) {
    return WithoutSection(std::string(handle.status().message()));
  }
  state->handle = *handle;
  return "";
}

void PortTunnels::End(uint32_t call) {
  if (call >= states_.size()) {
    return;
  }
  State& state = states_[call];
  if (state.handle != 0) {
    Send(state.worker);
    datapath_->Remove(state.handle).IgnoreError();
  }
  state = {};
}

std::string PortTunnels::Encrypt(uint32_t call, const client_role::PppClient& ppp) {
  State& state = states_[call];
  const client_role::PppClient::Encryption agreed = ppp.encryption();
  const MppeStartKeys& keys = ppp.keys();
  dataplane::CallSpec spec = SpecOf(state);
  if (!SetKey(agreed.send_bits == 128 ? keys.send_128 : keys.send_40_56, agreed.send_bits,
              agreed.epoch, agreed.send_stateful, &spec.send) ||
      !SetKey(agreed.receive_bits == 128 ? keys.receive_128 : keys.receive_40_56,
              agreed.receive_bits, agreed.epoch, agreed.receive_stateful, &spec.receive)) {
    Wipe(&spec.send);
    return "the method of authentication gave no MPPE keys";
  }
  state.send = {agreed.epoch, agreed.send_bits, agreed.send_stateful};
  state.receive = {agreed.epoch, agreed.receive_bits, agreed.receive_stateful};
  return Program(&state, &spec);
}

std::string PortTunnels::Address(uint32_t call, uint32_t address) {
  State& state = states_[call];
  state.address = address;
  dataplane::CallSpec spec = SpecOf(state);
  return Program(&state, &spec);
}

uint32_t PortTunnels::CallOf(uint64_t handle) const {
  const uint32_t index = dataplane::HandleIndex(handle);
  const size_t table = index / dataplane::kCallsPerAddress;
  if (table >= calls_.size() || calls_[table].empty()) {
    return Owner::kNone;
  }
  const uint32_t call = calls_[table][index % dataplane::kCallsPerAddress];
  return call < states_.size() && states_[call].handle == handle ? call : Owner::kNone;
}

void PortTunnels::Receive() {
  const unsigned num = ReceiveControl() + ReceivePackets();
  idle_rounds_ = num == 0 ? idle_rounds_ + 1 : 0;
}

unsigned PortTunnels::ReceiveControl() {
  constexpr size_t kMax = 1024;
  owner_->OnBatch();
  frames_.clear();
  const size_t num = datapath_->ReceiveFrames(&frames_, kMax);
  for (const auto& frame : frames_) {
    if (const uint32_t call = CallOf(frame.handle); call != Owner::kNone) {
      owner_->OnControl(call, frame.data);
    }
  }
  events_.clear();
  datapath_->TakeEvents(&events_, kMax);
  for (const dataplane::CallEvent& event : events_) {
    const uint32_t call = CallOf(event.handle);
    if (call != Owner::kNone && event.kind == dataplane::CallEvent::Kind::kMppeFailed) {
      owner_->OnUnreadable(call);
    }
  }
  return static_cast<unsigned>(num);
}

unsigned PortTunnels::ReceivePackets() {
  unsigned total = 0;
  for (unsigned batch = 0; batch < kMaxBatches; ++batch) {
    std::array<CallPacket, kBatch> packets;
    rte_mbuf* mbufs[kBatch];
    const unsigned num = datapath_->FromCalls(packets);
    total += num;
    for (unsigned i = 0; i < num; ++i) {
      mbufs[i] = packets[i].mbuf;
      rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void*));
    }
    if (num > 0 && batch > 0) {
      owner_->OnBatch();
    }
    for (unsigned i = 0; i < num; ++i) {
      if (const uint32_t call = CallOf(packets[i].handle); call != Owner::kNone) {
        owner_->OnPacket(
            call, {rte_pktmbuf_mtod(mbufs[i], const uint8_t*), rte_pktmbuf_data_len(mbufs[i])});
      }
    }
    rte_pktmbuf_free_bulk(mbufs, num);
    if (num < kBatch) {
      break;
    }
  }
  return total;
}

void PortTunnels::SendControl(uint32_t call, wire::Octets frame) {
  if (!datapath_->SendFrame(states_[call].handle, frame)) {
    ++not_taken_;
  }
}

std::span<uint8_t> PortTunnels::AddPacket(uint32_t call, size_t len) {
  const State& state = states_[call];
  rte_mbuf* mbuf = rte_pktmbuf_alloc(process_->mbufs());
  char* data = mbuf == nullptr ? nullptr : rte_pktmbuf_append(mbuf, static_cast<uint16_t>(len));
  if (data == nullptr) {
    rte_pktmbuf_free(mbuf);
    ++not_taken_;
    return std::span(nowhere_).first(len);
  }
  Batch& batch = out_[state.worker];
  if (batch.num == kBatch) {
    Send(state.worker);
  }
  batch.packets[batch.num++] = {state.handle, mbuf};
  return {reinterpret_cast<uint8_t*>(data), len};
}

// Send waits for a worker that does not keep up, but not for ever: the clients' other work waits.
void PortTunnels::Send(unsigned worker) {
  constexpr auto kMaxWait = std::chrono::milliseconds(1);
  Batch& batch = out_[worker];
  const std::span<CallPacket> packets = std::span(batch.packets).first(batch.num);
  unsigned taken = datapath_->ToCalls(worker, packets);
  if (taken < batch.num) {
    const auto begun = std::chrono::steady_clock::now();
    while (taken < batch.num && std::chrono::steady_clock::now() - begun < kMaxWait) {
      std::this_thread::yield();
      taken += datapath_->ToCalls(worker, packets.subspan(taken));
    }
  }
  for (const CallPacket& packet : packets.subspan(taken)) {
    rte_pktmbuf_free(packet.mbuf);
    ++not_taken_;
  }
  batch.num = 0;
}

void PortTunnels::Flush(uint64_t now_ms) {
  for (unsigned worker = 0; worker < out_.size(); ++worker) {
    if (out_[worker].num > 0) {
      Send(worker);
    }
  }
  if (now_ms - ticked_ms_ >= kTickMs) {
    ticked_ms_ = now_ms;
    process_->Tick();
    Count();
  }
}

void PortTunnels::Count() {
  Counters counters{.unsent = not_taken_};
  for (const dataplane::WorkerTotals& worker : datapath_->WorkerCounters()) {
    for (const dataplane::DropTotal& drop : worker.drops) {
      const std::string_view name = drop.name;
      if (name == "sequence_late") {
        counters.late += drop.packets;
      } else if (name == "sequence_duplicate") {
        counters.duplicated += drop.packets;
      } else if (name == "call_unknown" || name == "call_wrong_peer") {
        counters.strange += drop.packets;
      } else if (name == "transmit_full" || name == "port_down" || name == "tunnel_no_route" ||
                 name == "neighbour_unresolved" || name == "no_buffer") {
        counters.unsent += drop.packets;
      }
    }
  }
  counters_ = counters;
}

}  // namespace culvert::load
