// The DHCPv6 server of one call (RFC 8415 s18.3). What it may give is fixed when the call is let
// in, so it keeps no state: a message and what the call has make the answer.
#pragma once

#include <cstdint>
#include <optional>

#include "controlplane/ipv6/dhcp_message.h"
#include "controlplane/ipv6/link_settings.h"

namespace culvert::ipv6 {

// DhcpAnswer: no reply: the message is discarded. `delegates` says whether the client has the
// delegated prefix from now on; absent: nothing changes.
struct DhcpAnswer {
  std::optional<DhcpMessage> reply;
  std::optional<bool> delegates;
};

// AnswerDhcp: `interface_id` is the client's; `unicast`: the message came to our own address,
// which we never invite to (s18.4).
[[nodiscard]] DhcpAnswer AnswerDhcp(const DhcpMessage& message, bool unicast,
                                    const LinkSettings& settings, const LinkAssignment& assignment,
                                    uint64_t interface_id);

}  // namespace culvert::ipv6
