// Dispatcher brings requests to the servers of one service: which server, which source port and
// identifier, when again, which answer is one. Sans-IO: datagrams and time go in, datagrams and
// answers come out. Of one thread. Times are microseconds of one steady clock.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "controlplane/radius/client/retransmission.h"
#include "controlplane/radius/client/sender.h"
#include "controlplane/radius/client/server.h"
#include "controlplane/radius/client/server_choice.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

class Dispatcher {
 public:
  // Outside is how a Dispatcher acts on the world.
  class Outside {
   public:
    virtual ~Outside() = default;
    // Transmit sends from the `channel`-th source port used with `server`, opened when new.
    virtual void Transmit(size_t server, size_t channel, Octets packet) = 0;
    virtual void FillRandom(std::span<uint8_t> out) = 0;
    // OnServerState: it died, or is back.
    virtual void OnServerState(size_t server, bool up) = 0;
    // OnUnprotected: an answer was taken that had no Message-Authenticator.
    virtual void OnUnprotected(size_t server) = 0;
  };

  // `outside` outlives this. `stats`: one for each server.
  Dispatcher(Service service, std::vector<ServerSettings> servers, RetransmissionTimes times,
             std::vector<std::shared_ptr<ServerStats>> stats, Outside* outside);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Send: `done` is called once, maybe before Send() returns, and may call Send().
  void Send(Request request, Answered done, uint64_t now_us);
  // OnDatagram takes what came from the address and port of `server` to that source port.
  void OnDatagram(size_t server, size_t channel, Octets datagram, uint64_t now_us);
  void OnTime(uint64_t now_us);
  // NextDeadline is when OnTime() has something to do.
  [[nodiscard]] std::optional<uint64_t> NextDeadline() const;
  // Stop answers all that are under way with kStopped.
  void Stop();

 private:
  static constexpr size_t kNumIdentifiers = 256;
  static constexpr size_t kMaxChannels = 64;

  struct Exchange;
  struct Channel {
    Channel();
    std::array<std::unique_ptr<Exchange>, kNumIdentifiers> slots;
    std::deque<uint8_t> free;  // the one that was free for longest comes first
  };
  struct Server {
    ServerSettings settings;
    std::shared_ptr<ServerStats> stats;
    std::vector<std::unique_ptr<Channel>> channels;
  };

  void Place(std::unique_ptr<Exchange> exchange, uint64_t now_us);
  bool PlaceAt(size_t server, std::unique_ptr<Exchange>& exchange, uint64_t now_us);
  [[nodiscard]] std::optional<std::pair<size_t, uint8_t>> TakeIdentifier(Server& server);
  [[nodiscard]] bool Encode(Exchange& exchange);
  std::unique_ptr<Exchange> Remove(Exchange* exchange);
  void OnTimer(Exchange* exchange, uint64_t now_us);
  void OnUnanswered(Exchange* exchange, uint64_t now_us);
  void Retransmit(Exchange* exchange, uint64_t now_us);
  void SetTimer(Exchange* exchange, uint64_t now_us);
  void Finish(std::unique_ptr<Exchange> exchange, Outcome outcome);
  void Accept(Exchange* exchange, const Packet& reply, bool has_message_authenticator,
              uint64_t now_us);
  void SendProbes(uint64_t now_us);
  [[nodiscard]] uint32_t Random32();

  const Service service_;
  const RetransmissionTimes times_;
  Outside* const outside_;
  ServerChoice choice_;
  std::vector<Server> servers_;
  std::set<std::pair<uint64_t, Exchange*>> timers_;
};

}  // namespace culvert::radius
