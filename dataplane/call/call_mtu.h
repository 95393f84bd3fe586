// How large an inner packet may be on its way to a client.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

// CallOverhead is what is wrapped around an inner packet, octets: outer IPv4 and GRE headers with
// an acknowledgement, which comes and goes from packet to packet, PPP, MPPE (RFC 3078 s3.1).
constexpr int CallOverhead(bool send_acfc, bool send_pfc, bool mppe) {
  constexpr int kIpv4AndGreLen = 20 + 16;
  return kIpv4AndGreLen + (send_acfc ? 0 : 2) + (send_pfc ? 1 : 2) + (mppe ? 4 : 0);
}

// CallMtu: the client's MRU and the outer path's MTU, less what is wrapped around the packet, and
// spec.mtu when set.
constexpr uint16_t CallMtu(const CallSpec& spec, uint16_t outer_mtu) {
  const bool mppe = spec.send.has_value() || spec.require_encryption;
  const int mru = spec.peer_mru == 0 ? 1500 : spec.peer_mru;
  int mtu =
      std::min(mru - (mppe ? 4 : 0), outer_mtu - CallOverhead(spec.send_acfc, spec.send_pfc, mppe));
  if (spec.mtu != 0) {
    mtu = std::min<int>(mtu, spec.mtu);
  }
  return static_cast<uint16_t>(std::max(mtu, 0));
}

}  // namespace culvert::dataplane
