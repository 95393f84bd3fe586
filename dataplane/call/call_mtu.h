// How large an inner packet may be on its way to a client.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

// CallMtu: the client's MRU and the outer path's MTU, less what is wrapped around the packet, and
// spec.mtu when set. An acknowledgement is reckoned in: it comes and goes from packet to packet.
constexpr uint16_t CallMtu(const CallSpec& spec, uint16_t outer_mtu) {
  constexpr int kIpv4AndGreLen = 20 + 16;
  const bool mppe = spec.send.has_value() || spec.require_encryption;
  const int mppe_len = mppe ? 4 : 0;  // header and inner protocol field (RFC 3078 s3.1)
  const int ppp_len = (spec.send_acfc ? 0 : 2) + (spec.send_pfc ? 1 : 2);
  const int mru = spec.peer_mru == 0 ? 1500 : spec.peer_mru;
  int mtu = std::min(mru - mppe_len, outer_mtu - kIpv4AndGreLen - ppp_len - mppe_len);
  if (spec.mtu != 0) {
    mtu = std::min<int>(mtu, spec.mtu);
  }
  return static_cast<uint16_t>(std::max(mtu, 0));
}

}  // namespace culvert::dataplane
