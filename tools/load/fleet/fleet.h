// Fleet: many VPN clients in one thread: control connections over TCP, calls in tunnels, probes
// inside. Nothing happens outside of Turn(); times are of the steady clock.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/client_role/control_client.h"
#include "proto/config/address/address.h"
#include "tools/load/fleet/call.h"
#include "tools/load/fleet/wheel.h"
#include "tools/load/plan/plan.h"
#include "tools/load/report/tally.h"
#include "tools/load/tunnel/tunnels.h"

namespace culvert::load {

class Fleet : private Tunnels::Owner {
 public:
  // All outlive the fleet.
  Fleet(const Plan* plan, const std::vector<client_role::Account>* accounts, Tally* tally);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Open opens the sockets and looks whether the sources are local; gives what is wrong, or an
  // empty string.
  std::string Open();

  // Dial begins the next `num` calls, those that are there no more first.
  void Dial(uint32_t num);
  // Turn does what is to be done, and waits for it at most `wait_ms`.
  void Turn(int wait_ms);
  // Watch has Turn return when `fd` can be read.
  void Watch(int fd);

  // StopPackets ends all sending; AskSinks asks for what has arrived, of every call that is up.
  void StopPackets() { sends_ = false; }
  void AskSinks();
  // EndCalls hangs up all calls that there are, `per_second` of them.
  void EndCalls(double per_second);
  // Add makes room for `num` more calls, to be dialled; Stop hangs up as many of those that are up.
  void Add(uint32_t num);
  void Stop(uint32_t num);
  [[nodiscard]] bool IsUp(uint32_t call_index) const {
    return call_index < calls_.size() && calls_[call_index].stage == Stage::kUp;
  }
  // StartCapture writes the packets of a call that is up to `capture`, which is borrowed until
  // StopCapture. Not through a device.
  void StartCapture(uint32_t call_index, Capture* capture);
  void StopCapture() { tunnels_->StartCapture(0, nullptr); }

  // Play plays a trick on the server, in whatever state the call is; false: there is nothing to
  // play it on. `random`: where a message is cut, or what garbage is made of.
  enum class Trick : uint8_t {
    kHangUp,        // Call-Clear-Request
    kTerminate,     // LCP Terminate-Request
    kReset,         // TCP goes with a RST
    kClose,         // TCP goes with a FIN, without Stop-Control-Connection
    kHalfMessage,   // a control message that ends half-way, and TCP with it
    kGarbage,       // octets that are no control message
    kStrangeFrame,  // a PPP frame that makes no sense
    kSilence,       // PPP is answered no more
  };
  static constexpr unsigned kNumTricks = 8;
  bool Play(Trick trick, uint32_t call_index, uint64_t random);
  // Suffer has all packets that are sent meet with faults; borrowed.
  void Suffer(Faults* faults) { tunnels_->Suffer(faults); }

  // Drop closes everything at once, for a run that is broken off.
  void Drop();

  [[nodiscard]] uint32_t num_begun() const { return num_begun_; }
  [[nodiscard]] uint32_t num_to_redial() const { return static_cast<uint32_t>(redial_.size()); }
  [[nodiscard]] uint32_t num_asking() const { return num_asking_; }
  // num_live: calls that are neither idle nor over, and connections.
  [[nodiscard]] uint32_t num_live() const;
  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }
  // last_failure: of the call that failed last, for the first one's message.
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

  static uint64_t NowUs();

 private:
  struct Connection;
  enum Timer : uint8_t { kPpp, kSend, kHold, kSetup, kAsk, kEnd, kControl };

  // fleet.cc
  [[nodiscard]] std::string CheckSources();
  void OnTimer(const Wheel::Timer& timer);
  void SetTimer(uint64_t* due_ms, uint64_t at_ms, uint32_t index, Timer kind);
  void Enter(Call& call, Stage stage);
  void Fail(Call& call, std::string_view reason);
  void Over(Call& call);
  // Hangs up; what comes of it is no failure.
  void EndCall(Call& call);
  void FinishCall(Call& call);  // EndCall, after the sink's report if there are packets

  // fleet_control.cc
  void Begin(Call& call);
  void Request(Connection& connection, Call& call);
  // IdSpace of a call or connection: its Call IDs are unique in there.
  template <typename Ends>
  [[nodiscard]] uint32_t IdSpace(const Ends& ends) const {
    return tunnels_->ids_by_server() ? ends.server : ends.source;
  }
  [[nodiscard]] uint16_t TakeId(uint32_t id_space);
  void Connect(Connection& connection);
  void OnSocket(Connection& connection, uint32_t events);
  void Receive(Connection& connection);
  void TakeEffects(Connection& connection);
  void Flush(Connection& connection);
  void On(Connection& connection, const client_role::Established& effect);
  void On(Connection& connection, const client_role::CallOpened& effect);
  void On(Connection& connection, const client_role::CallRefused& effect);
  void On(Connection& connection, const client_role::CallClosed& effect);
  void On(Connection& connection, const client_role::ConnectionClosed& effect);
  void Close(Connection& connection);
  [[nodiscard]] Connection* ConnectionOf(const Call& call);
  [[nodiscard]] Call* Find(uint32_t id_space, uint16_t id);
  void Forget(Call& call);

  // fleet_tunnel.cc
  uint32_t CallOf(uint32_t client, uint16_t client_id) override;
  void OnBatch() override { now_us_ = NowUs(); }
  void OnControl(uint32_t call, wire::Octets frame) override;
  void OnPacket(uint32_t call, std::span<const uint8_t> packet) override;
  void OnUnreadable(uint32_t call) override;
  void OnKeyLost(uint32_t call) override;
  void Progress(Call& call);
  std::string AgreeOnKeys(Call& call);

  // fleet_tricks.cc
  void Break(Connection& connection, bool with_reset);
  void Write(Connection& connection, wire::Octets octets);
  void SendStrangeFrame(Call& call, uint64_t random);

  // fleet_probes.cc
  void StartPackets(Call& call);
  void SendDue(Call& call);
  void SendProbe(Call& call, const Probe& probe, size_t packet_len);
  void Ask(Call& call);
  void OnInner(Call& call, std::span<const uint8_t> packet);
  [[nodiscard]] size_t NextSize(const Call& call) const;
  [[nodiscard]] bool has_packets() const { return !plan_->sink().empty(); }

  const Plan* const plan_;
  const std::vector<client_role::Account>* const accounts_;
  Tally* const tally_;
  const client_role::Wishes wishes_;
  client_role::ControlClientSettings control_settings_;
  ppp::PppSettings ppp_settings_;
  ppp::PppCounters counters_;
  const ppp::Random random_;
  std::vector<uint32_t> sources_, servers_;
  config::Endpoint sink_;
  uint32_t run_ = 0;  // in probes

  int epoll_ = -1;
  std::unique_ptr<Tunnels> tunnels_;
  Wheel wheel_;
  std::vector<Call> calls_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by call index / calls_per_connection
  std::vector<std::unique_ptr<Connection>> closed_;       // in this turn
  absl::flat_hash_map<uint64_t, uint32_t> by_id_;         // id space << 16 | id; call index
  absl::flat_hash_map<uint32_t, uint16_t> last_id_;       // by id space
  std::vector<uint32_t> redial_;
  uint64_t now_us_ = 0;
  uint32_t num_begun_ = 0, num_asking_ = 0, num_connections_ = 0;
  bool sends_ = true, ending_ = false;
  std::string last_failure_;

  [[nodiscard]] uint64_t now_ms() const { return now_us_ / 1000; }
};

}  // namespace culvert::load
