// GreCarrier sends PPP frames as GRE packets of this host, to a real culvert-dataplane.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "culvert/dataplane/v1/dataplane.grpc.pb.h"
#include "tools/bench_control/carrier.h"

namespace culvert::bench {

class GreCarrier final : public Carrier {
 public:
  // Needs CAP_NET_RAW; ends the process without. `socket_path`: the data plane's, to ask it what
  // calls it has.
  explicit GreCarrier(const std::string& socket_path);
  ~GreCarrier() override;

  uint64_t Open(const Ends& ends) override;
  void Send(dataplane::v1::FrameBatch frames) override;
  [[nodiscard]] std::vector<dataplane::v1::FrameBatch> Take() override;
  [[nodiscard]] int fd() const override { return socket_; }
  [[nodiscard]] size_t num_calls() override;
  // packets, both ways.
  [[nodiscard]] uint64_t packets() const { return packets_; }

 private:
  struct Call {
    Ends ends;
    uint32_t next_sequence = 0;
  };
  static constexpr size_t kBurst = 64;
  static constexpr size_t kPacketLen = 2048;
  using Buffers = std::array<std::array<uint8_t, kPacketLen>, kBurst>;

  static uint32_t Place(uint32_t address, uint16_t call_id) {
    return (address & 0xff) << 16 | call_id;
  }
  void OnPacket(const uint8_t* packet, size_t len, dataplane::v1::FrameBatch* batch);

  int socket_ = -1;
  uint64_t packets_ = 0;
  std::vector<Call> calls_;       // by Place() of the concentrator's Call ID
  std::vector<uint16_t> by_own_;  // its Call ID, by Place() of the client's
  std::unique_ptr<Buffers> buffers_;
  std::unique_ptr<dataplane::v1::Dataplane::Stub> stub_;
};

}  // namespace culvert::bench
