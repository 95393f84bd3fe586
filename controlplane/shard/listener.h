// Listener accepts connections on one endpoint for a shard. It survives what accept(2) may
// answer, running out of descriptors included. Of the shard's thread once it is started.
#pragma once

#include <absl/status/status.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>

#include "controlplane/logging/log_limit.h"
#include "proto/config/address/address.h"

namespace culvert {

class Listener {
 public:
  using Accepted = std::function<void(asio::ip::tcp::socket socket)>;
  Listener(asio::io_context& loop, const config::Endpoint& endpoint, Accepted accepted);

  // Open binds and listens. Errors name the endpoint and the remedy. `shared`: other shards
  // listen there too (SO_REUSEPORT).
  absl::Status Open(bool shared);
  // Probe: another process that shares the port too would take some of our clients unnoticed. So
  // the first to open it looks whether it is free; it is not kept.
  absl::Status Probe();
  void Start() { Accept(); }
  void Close();

 private:
  asio::error_code Bind(bool shared);
  void Accept();
  void OnError(const asio::error_code& error);

  const config::Endpoint endpoint_;
  const Accepted accepted_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer back_off_;
  LogLimit log_limit_{std::chrono::seconds(10)};
};

}  // namespace culvert
