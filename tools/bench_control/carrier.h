// Carrier takes PPP frames between the fleet's clients and the control plane. Of the clients'
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert::bench {

// Ends: of a call; addresses in host order.
struct Ends {
  uint32_t concentrator = 0;
  uint16_t call_id = 0;      // the concentrator's
  uint16_t own_call_id = 0;  // of the client; no other call to the same address has it
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  // Open gives the handle by which the call's frames go. Its low 24 bits are the last octet of the
  // concentrator's address and its Call ID.
  virtual uint64_t Open(const Ends& ends) = 0;
  // Send takes frames from clients; Take gives those for them.
  virtual void Send(dataplane::v1::FrameBatch frames) = 0;
  [[nodiscard]] virtual std::vector<dataplane::v1::FrameBatch> Take() = 0;
  // fd becomes readable when there is something to Take(); -1: Fleet::Wake() says so.
  [[nodiscard]] virtual int fd() const { return -1; }
  // num_calls: that the data plane has.
  [[nodiscard]] virtual size_t num_calls() = 0;
};

}  // namespace culvert::bench
