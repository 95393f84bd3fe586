// GreTunnels: tunnels through a raw socket, with MPPE in this thread.
#pragma once

#include <memory>
#include <vector>

#include "tools/load/packet/order.h"
#include "tools/load/tunnel/encryption.h"
#include "tools/load/tunnel/gre_socket.h"
#include "tools/load/tunnel/tunnels.h"

namespace culvert::load {

class GreTunnels final : public Tunnels {
 public:
  // `takes_clear`: data that is not encrypted counts. The owner outlives the tunnels.
  GreTunnels(Owner* owner, bool takes_clear) : owner_(owner), takes_clear_(takes_clear) {}

  std::string Open() override;
  [[nodiscard]] int fd() const override { return gre_.fd(); }
  [[nodiscard]] bool ids_by_server() const override { return false; }
  [[nodiscard]] int64_t MaxWaitUs(int64_t wait_us) override { return wait_us; }

  void Begin(uint32_t call, const Ends& ends) override;
  std::string Connect(uint32_t call, uint16_t server_id) override;
  void End(uint32_t call) override;
  std::string Encrypt(uint32_t call, const client_role::PppClient& ppp) override;
  std::string Address(uint32_t, uint32_t) override { return ""; }
  void ShowKey(uint32_t call) override;

  void Receive() override;
  void SendControl(uint32_t call, wire::Octets frame) override;
  std::span<uint8_t> AddPacket(uint32_t call, size_t len) override;
  void Flush(uint64_t now_ms) override;

  [[nodiscard]] Counters counters() const override;
  bool Suffer(Faults* faults) override {
    gre_.Suffer(faults);
    return true;
  }
  bool StartCapture(uint32_t call, Capture* capture) override;

 private:
  struct State {
    Ends ends;
    uint32_t next_sequence = 0;
    uint32_t to_acknowledge = 0;
    bool owes_ack = false;
    Order order;
    std::unique_ptr<CallKeys> keys;
  };
  struct Opening {
    uint32_t call;
    std::span<uint8_t> text;
  };

  void OnArrival(const GreSocket::Arrival& arrival);
  void OnFrame(uint32_t call, std::span<uint8_t> ppp);
  void OpenFrames();
  // Room for a frame of this call; header octets are done.
  std::span<uint8_t> AddFrame(State& state, size_t ppp_len);
  void SendAcks();
  void SendAll();

  Owner* const owner_;
  const bool takes_clear_;
  GreSocket gre_;
  std::unique_ptr<Encryption> encryption_;
  std::vector<State> states_;     // by call
  std::vector<uint32_t> acks_;    // calls that may owe one
  std::vector<Opening> opening_;  // decrypted by OpenFrames
  uint64_t acks_due_ms_ = 0;
  Counters counters_;
};

}  // namespace culvert::load
