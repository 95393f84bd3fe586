// CallIdentity: what is known of a call when it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "controlplane/aaa/authentication.h"

namespace culvert {

struct CallIdentity {
  uint32_t peer_address = 0, local_address = 0;  // outer, host order
  uint16_t call_id = 0, peer_call_id = 0;
  uint16_t peer_window = 0;  // packets, as the client announced it
  bool incoming = false;     // of a dial-in PAC: PPP waits for Incoming-Call-Connected
  size_t listener = 0;       // by which of pptp.listen it came
  std::shared_ptr<const PeerNames> names = {};  // null: none
};

// MakePeerNames checks what a peer wrote: a host name of printable ASCII, telephone numbers of
// digits and the signs around them. What is not of this form is left out. null: nothing is left.
[[nodiscard]] std::shared_ptr<const PeerNames> MakePeerNames(std::string_view host_name,
                                                             std::string_view called_number,
                                                             std::string_view calling_number);

}  // namespace culvert
