// RadiusTransport sends records as Accounting-Requests (RFC 2866).
#pragma once

#include <cstdint>
#include <functional>

#include "controlplane/accounting/delivery/transport.h"
#include "controlplane/logging/log_limit.h"
#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/client/sender.h"
#include "controlplane/radius/session_attributes.h"

namespace culvert::accounting {

// AccountingAttributes are all but those that the client adds. Acct-Multi-Session-Id is the
// session's own id: each call is a link by itself. `classes_left_out`, unless null, gets the number
// of Class attributes that the packet has no room for.
[[nodiscard]] radius::AttributeList AccountingAttributes(const v1::Record& record,
                                                         const radius::NasIdentity& nas,
                                                         uint32_t delay_s,
                                                         size_t* classes_left_out = nullptr);

class RadiusTransport final : public Transport {
 public:
  // `sender` outlives this.
  RadiusTransport(radius::Sender* sender, radius::NasIdentity nas)
      : sender_(sender), nas_(std::move(nas)) {}

  // Send: one request with all its repetitions. A later attempt is a new request with a new
  // Acct-Delay-Time.
  void Send(const v1::Record& record, uint32_t delay_s,
            std::function<void(bool acknowledged)> done) override;

 private:
  radius::Sender* const sender_;
  const radius::NasIdentity nas_;
  LogLimit log_limit_{std::chrono::seconds(10)}, class_limit_{std::chrono::seconds(10)};
};

}  // namespace culvert::accounting
