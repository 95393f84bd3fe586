// PortTunnels: tunnels through a DPDK port, with the gateway's own workers in the client's role:
// GRE, its numbers, acknowledgements and order, and MPPE by the burst. The fleet's thread makes and
// reads what is inside. TCP goes through the port's TAP.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "dataplane/process.h"
#include "tools/load/plan/plan.h"
#include "tools/load/tunnel/tunnels.h"

namespace culvert::load {

// One in a process, once: EAL starts but once.
class PortTunnels final : public Tunnels {
 public:
  // Both outlive the tunnels.
  PortTunnels(Owner* owner, const Plan* plan);
  ~PortTunnels() override;

  std::string Open() override;
  [[nodiscard]] int fd() const override { return -1; }
  [[nodiscard]] bool ids_by_server() const override { return true; }
  [[nodiscard]] int64_t MaxWaitUs(int64_t wait_us) override;

  void Begin(uint32_t call, const Ends& ends) override;
  std::string Connect(uint32_t call, uint16_t server_id) override;
  void End(uint32_t call) override;
  std::string Encrypt(uint32_t call, const client_role::PppClient& ppp) override;
  std::string Address(uint32_t call, uint32_t address) override;
  void ShowKey(uint32_t) override {}  // the worker has answered

  void Receive() override;
  void SendControl(uint32_t call, wire::Octets frame) override;
  std::span<uint8_t> AddPacket(uint32_t call, size_t len) override;
  void Flush(uint64_t now_ms) override;

  [[nodiscard]] Counters counters() const override { return counters_; }
  bool Suffer(Faults*) override { return false; }
  bool StartCapture(uint32_t, Capture*) override { return false; }

 private:
  using CallPacket = dataplane::Datapath::CallPacket;
  struct Key {
    uint32_t epoch = 0;
    uint16_t bits = 0;  // 0: none
    bool stateful = false;
  };
  struct State {
    Ends ends;
    uint32_t address = 0;  // inside
    uint16_t worker = 0;
    uint64_t handle = 0;
    Key send, receive;
  };
  static constexpr unsigned kBatch = 64;
  struct Batch {
    std::array<CallPacket, kBatch> packets;
    unsigned num = 0;
  };

  [[nodiscard]] std::string RouteServers() const;
  [[nodiscard]] dataplane::CallSpec SpecOf(const State& state) const;
  std::string Program(State* state, dataplane::CallSpec* spec);
  [[nodiscard]] uint32_t CallOf(uint64_t handle) const;
  unsigned ReceiveControl();
  unsigned ReceivePackets();
  void Send(unsigned worker);
  void Count();

  Owner* const owner_;
  const Plan* const plan_;
  std::unique_ptr<dataplane::Process> process_;
  dataplane::Datapath* datapath_ = nullptr;
  std::vector<State> states_;                 // by call
  std::vector<std::vector<uint32_t>> calls_;  // by server's table and Call ID
  std::vector<Batch> out_;                    // by worker
  std::vector<dataplane::Datapath::PuntedFrame> frames_;
  std::vector<dataplane::CallEvent> events_;
  std::array<uint8_t, 2048> nowhere_{};  // for a packet without a buffer
  unsigned idle_rounds_ = 0;
  uint64_t ticked_ms_ = 0;
  uint64_t not_taken_ = 0;
  Counters counters_;
};

}  // namespace culvert::load
