// AccountingTransport brings accounting records to whoever keeps them.
#pragma once

#include <cstdint>
#include <functional>

#include "culvert/accounting/v1/accounting.pb.h"

namespace culvert::accounting {

class Transport {
 public:
  virtual ~Transport() = default;
  // Send: one attempt, with all retransmissions and servers that it has. `delay_s` is
  // Acct-Delay-Time as of now: a transport that sends again later, and tells another delay, makes
  // a new request of it (RFC 2866 s4.1). `done` is called once, on any thread, before or after
  // this returns; true: a server has the record. Called by one thread.
  virtual void Send(const v1::Record& record, uint32_t delay_s,
                    std::function<void(bool acknowledged)> done) = 0;
};

}  // namespace culvert::accounting
