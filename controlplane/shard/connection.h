// Connection: a control connection's socket, its protocol and its calls. Of its shard's thread.
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "controlplane/pptp/control_connection.h"
#include "controlplane/shard/alarm.h"
#include "controlplane/shard/call/call.h"

namespace culvert {

class Connection final : public CallOwner,
                         public pptp::ControlGate,
                         public std::enable_shared_from_this<Connection> {
 public:
  // `shard` outlives the connection. `socket` is connected and non-blocking; the addresses are
  // its own, host order. `listener`: index of that of pptp.listen which has accepted it.
  Connection(Shard* shard, asio::ip::tcp::socket socket, uint32_t peer_address,
             uint32_t local_address, size_t listener);

  void Start();
  // Shutdown ends the calls and asks the client to close (RFC 2637 s2.3, reason 3).
  void Shutdown();
  // Abort closes at once.
  void Abort();

  pptp::StartVerdict JudgeStart() override;
  tl::expected<uint16_t, pptp::Refusal> AllocateCallId() override;
  bool Accept(uint16_t call_id) override;
  void Refuse(uint16_t call_id, pptp::Refusal refusal) override;
  void Disconnect(uint16_t call_id, pptp::DisconnectResult result,
                  std::string_view statistics) override;

 private:
  void WaitToRead();
  void OnReadable();
  void WaitToWrite();
  void Write();
  // Pump takes the protocol's effects and output after every input.
  void Pump();
  void Apply(const pptp::CallRequested& effect);
  // NamesOf: calls without telephone numbers share one.
  std::shared_ptr<const PeerNames> NamesOf(const pptp::CallRequested& effect);
  void Apply(const pptp::CallConnected& effect);
  void Apply(const pptp::CallClearRequested& effect);
  void Apply(const pptp::CallLost& effect);
  void Apply(const pptp::Closed& effect);

  Shard* const shard_;
  asio::ip::tcp::socket socket_;
  const uint32_t peer_address_, local_address_;
  const size_t listener_;
  pptp::ControlConnection control_;
  std::unordered_map<uint16_t, std::shared_ptr<Call>> calls_;  // by our Call ID
  std::shared_ptr<const PeerNames> host_;
  bool half_open_ = true;  // no Start yet
  bool closed_ = false;
  bool writing_ = false;  // waits for room in the socket
  bool pumping_ = false;
  Alarm alarm_;
};

}  // namespace culvert
