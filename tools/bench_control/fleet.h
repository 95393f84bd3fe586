// Fleet: many VPN clients in one thread. Control connections are real TCP; PPP goes through a
// Carrier. Calls are dialled as quickly as `window` lets them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/client_role/control_client.h"
#include "controlplane/client_role/ppp_client.h"
#include "tools/bench_control/carrier.h"

namespace culvert::bench {

class Fleet {
 public:
  struct Options {
    uint32_t first_address = 0x7f000001;  // of the concentrator, host order
    uint32_t num_addresses = 4;           // that and those that follow, dialled in turn
    uint16_t port = 1723;
    uint32_t num_calls = 1000;
    uint32_t calls_per_connection = 1;
    uint32_t window = 500;       // calls being set up at a time
    uint32_t num_users = 20000;  // user00000 and so on, all with the password "secret"
  };
  struct Failure {
    uint64_t refused = 0, failed = 0, lost = 0;  // by Outgoing-Call-Reply; in PPP; with TCP
  };

  explicit Fleet(const Options& options);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Use: before the first Dial(); `carrier` outlives the fleet.
  void Use(Carrier* carrier);
  void Wake() const;

  // Dial brings all calls up; false: not all within `timeout_s`.
  bool Dial(double timeout_s);
  // Serve answers what comes for so many seconds.
  void Serve(double seconds);
  // Stop closes all control connections in order (Stop-Control-Connection-Request), without
  // waiting for the data plane. Drop resets them all at once.
  bool Stop(double timeout_s);
  void Drop();

  // setup_ms: of each call that came up, from connect() (of later calls in a connection: from
  // Outgoing-Call-Request) to IPCP and CCP open.
  [[nodiscard]] const std::vector<float>& setup_ms() const { return setup_ms_; }
  [[nodiscard]] double dial_seconds() const { return dial_seconds_; }
  [[nodiscard]] uint32_t num_up() const { return num_up_; }
  [[nodiscard]] const Failure& failure() const { return failure_; }

 private:
  struct Connection;
  struct Call {
    Connection* connection = nullptr;
    std::unique_ptr<client_role::PppClient> ppp;
    uint64_t handle = 0;
    uint64_t begun_us = 0;
    uint32_t account = 0;
    bool up = false, over = false;
  };
  struct Connection {
    int fd = -1;
    uint32_t index = 0;
    uint32_t local_address = 0;  // of the concentrator
    uint16_t first_call_id = 1;
    bool connecting = true;
    client_role::ControlClient control;
    explicit Connection(const client_role::ControlClientSettings* settings) : control(settings) {}
  };

  void MakeAccounts();
  void OpenConnections();
  void Connect(uint32_t index);
  void Turn(int timeout_ms);
  void OnSocket(Connection& connection, uint32_t events);
  void Flush(Connection& connection);
  void TakeEffects(Connection& connection);
  void On(Connection& connection, const client_role::Established& effect);
  void On(Connection& connection, const client_role::CallOpened& effect);
  void On(Connection& connection, const client_role::CallRefused& effect);
  void On(Connection& connection, const client_role::CallClosed& effect);
  void On(Connection& connection, const client_role::ConnectionClosed& effect);
  void TakeFrames();
  void Progress(Call& call);
  void Over(Call& call, uint64_t* counter);
  void RunTimers();
  void Close(Connection& connection);
  [[nodiscard]] Call& CallOf(const Connection& connection, uint16_t call_id) {
    return calls_[connection.index * options_.calls_per_connection + call_id -
                  connection.first_call_id];
  }

  const Options options_;
  const client_role::ControlClientSettings control_settings_;
  ppp::PppSettings ppp_settings_;
  ppp::PppCounters counters_;
  ppp::Random random_;
  std::vector<client_role::PppClient::Account> accounts_;
  Carrier* carrier_ = nullptr;
  int epoll_ = -1, wake_ = -1;
  std::vector<Call> calls_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Call*> by_handle_;  // last octet of the local address << 16 | Call ID
  dataplane::v1::FrameBatch batch_;
  uint32_t next_connection_ = 0, num_begun_ = 0, num_up_ = 0, num_over_ = 0;
  uint32_t num_open_ = 0;  // connections
  uint64_t timers_us_ = 0;
  double dial_seconds_ = 0;
  std::vector<float> setup_ms_;
  Failure failure_;
};

}  // namespace culvert::bench
