// Shard: a thread with a loop that owns control connections and their calls from accept to end.
// Functions marked "loop" run on its thread only. Shards share nothing but Services.
#pragma once

#include <absl/status/status.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "controlplane/pptp/call_id_pool.h"
#include "controlplane/shard/connection.h"
#include "controlplane/shard/listener.h"
#include "controlplane/shard/services.h"
#include "controlplane/shard/source_gate.h"

namespace culvert {

class Shard final : public DataplaneSink {
 public:
  // `services` outlives the shard.
  Shard(size_t index, size_t num_shards, const Services* services);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Listen binds; before Start().
  absl::Status Listen(std::span<const config::Endpoint> endpoints);
  void Start();
  // Shutdown: no new connections; calls get Call-Disconnect-Notify, connections Stop. Any thread.
  void Shutdown();
  // Join waits for the thread, which ends some time after Shutdown(), at most kShutdownMs.
  void Join();
  // Halt ends the loop at once and waits for the thread; nobody is told.
  void Halt();
  // Terminate ends those of the calls that are this shard's. Any thread.
  void Terminate(std::vector<uint64_t> ids, EndCause cause, std::string reason);
  // Reconfigure: what begins from now on goes by these settings. Any thread.
  void Reconfigure(std::shared_ptr<const ShardSettings> settings);
  // Change: `done` is called once, on the shard's thread; NotFound: no such call here. Any thread.
  void Change(uint64_t id, CallChange change, CallChanged done);

  void OnDataplaneUp() override;                                     // loop
  void OnDataplaneDown() override;                                   // loop
  void OnFrames(std::vector<dataplane::v1::Frame> frames) override;  // loop
  void OnEvents(std::vector<dataplane::v1::Event> events) override;  // loop

  // What follows is for this shard's connections and calls; loop.
  asio::io_context& loop() { return loop_; }
  const Services& services() const { return *services_; }
  // settings are those of now: who needs them later keeps the pointer.
  const std::shared_ptr<const ShardSettings>& settings() const { return settings_; }
  pptp::ControlCounters& control_counters() { return control_counters_; }
  ppp::PppCounters& ppp_counters() { return ppp_counters_; }
  SourceGate& source_gate() { return source_gate_; }
  ipv6::LinkCounters& link_counters() { return link_counters_; }
  void Program(dataplane::v1::Operation operation, DataplaneClient::Answered answered) {
    services_->dataplane->Program(index_, std::move(operation), std::move(answered));
  }
  // AllocateCallId gives 0 when none is free or the data plane is away.
  uint16_t AllocateCallId(uint32_t local_address);
  void ReleaseCallId(uint32_t local_address, uint16_t call_id, bool used);
  // Insert makes a call known by its handle and id, until Erase().
  void Insert(Call* call);
  void Erase(Call* call);
  void OnCallMade() { ++num_calls_; }
  void OnCallGone() { --num_calls_; }
  void OnConnectionClosed(Connection* connection, std::string_view reason);

  static constexpr uint64_t kShutdownMs = 3500;

 private:
  // `listener`: which of pptp.listen it came by.
  void OnAccepted(size_t listener, asio::ip::tcp::socket socket);
  void Tick();
  void BeginShutdown();
  [[nodiscard]] pptp::CallIdPool& CallIds(uint32_t local_address);

  const size_t index_, num_shards_;
  const Services* const services_;
  std::shared_ptr<const ShardSettings> settings_;  // of the loop
  // Before the loop: calls in handlers that never ran go with it. Ended calls that wait for the
  // data plane's answer count too.
  size_t num_calls_ = 0;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer tick_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::unordered_map<uint64_t, Call*> calls_by_handle_, calls_by_id_;
  std::unordered_map<uint32_t, std::unique_ptr<pptp::CallIdPool>> call_ids_;  // by local address
  pptp::ControlCounters control_counters_;
  ppp::PppCounters ppp_counters_;
  SourceGate source_gate_;
  ipv6::LinkCounters link_counters_;
  bool dataplane_up_ = false;
  uint64_t shutdown_deadline_ms_ = 0;  // 0: not shutting down
  LogLimit dataplane_log_{std::chrono::seconds(10)};
  std::thread thread_;
};

}  // namespace culvert
