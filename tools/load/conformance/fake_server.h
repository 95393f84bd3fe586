// FakeServer: a PPTP server on loopback, in memory, that does what a test tells it to: control
// connections only. For tests of the conformance runner.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "proto/wire/pptp.h"

namespace culvert::load::conformance {

struct FakeFaults {
  bool wrong_version = false;     // Start-Reply says 2.0
  bool wrong_echo = false;        // Echo-Reply with another identifier
  bool keeps_bad_cookie = false;  // goes on after a wrong cookie
  bool no_stop_reply = false;     // closes without Stop-Reply
  bool dies_of_unknown = false;   // says nothing more after an unknown type
};

class FakeServer {
 public:
  explicit FakeServer(FakeFaults faults);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  void Accept();
  void Serve(int fd);
  // Answer gives false when the connection must close.
  bool Answer(int fd, const wire::pptp::Message& message);

  const FakeFaults faults_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // of the acceptor's thread until it has ended
};

}  // namespace culvert::load::conformance
