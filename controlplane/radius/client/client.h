// Client is the RADIUS client: a thread of its own with a few UDP sockets, for all shards. Each
// socket is connected to a server, so that the kernel lets only that address and port in.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "controlplane/radius/client/retransmission.h"
#include "controlplane/radius/client/sender.h"
#include "controlplane/radius/client/server.h"

namespace culvert::radius {

struct ClientSettings {
  std::vector<ServerSettings> authentication, accounting;
  RetransmissionTimes times;
  // Where packets come from, as text; empty: the kernel chooses.
  std::string source_ipv4, source_ipv6;
};

class Client final : public Sender {
 public:
  // Start: InvalidArgument names an address that is none; no packet is sent yet.
  static absl::StatusOr<std::unique_ptr<Client>> Start(ClientSettings settings);
  ~Client() override;  // stops

  void Send(Service service, Request request, Answered done) override;

  // Stop answers what is under way with kStopped and ends the thread. Nothing may be sent after.
  void Stop();

  // stats: of authentication's servers, then accounting's. Any thread.
  [[nodiscard]] const std::vector<std::shared_ptr<ServerStats>>& stats() const { return stats_; }

 private:
  class Impl;
  explicit Client(ClientSettings settings);

  std::vector<std::shared_ptr<ServerStats>> stats_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace culvert::radius
