// What a Culvert has at present that a soak may not leave behind, as its management API tells.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert::load {

class Leftovers {
 public:
  struct State {
    std::string problem;  // not empty: nobody answers; the rest says nothing
    uint64_t calls = 0;
    uint64_t dataplane_calls = 0;
    uint64_t mbufs = 0;
    uint64_t descriptors = 0;  // of culvert-controlplane; 0: not to be seen from here
    int64_t process = 0;       // its number; 0: not to be seen from here
  };

  // `socket`: management.socket of the server's configuration.
  // timeout_ms: for each of two questions; a server that hangs is a problem too.
  explicit Leftovers(const std::string& socket, unsigned timeout_ms = 10'000);
  [[nodiscard]] State Look() const;

 private:
  const std::string socket_;
  const unsigned timeout_ms_;
  std::unique_ptr<management::v1::Calls::Stub> calls_;
  std::unique_ptr<management::v1::Dataplane::Stub> dataplane_;
};

}  // namespace culvert::load
