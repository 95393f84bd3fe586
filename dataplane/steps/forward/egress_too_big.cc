#include "dataplane/steps/forward/egress_too_big.h"

#include "dataplane/ip/icmp_error.h"
#include "dataplane/ip/spawn_fragments.h"

namespace culvert::dataplane {

std::optional<DropReason> FitEgress(Packet& packet, uint16_t mtu, WorkerContext* context) {
  // packet.ip may be what is inside.
  constexpr bool kChecked = true;  // the outer one's checksum may be left to the port
  const auto header = wire::ip::ParseIpv4({packet.data(), packet.data_len()}, kChecked);
  if (!header) {
    return DropReason::egress_too_big;
  }
  if (!header->DontFragment()) {
    return SpawnFragments(packet, *header, mtu, Stage::kEthernet, DropReason::egress_too_big,
                          context);
  }
  if (!packet.downstream) {
    SpawnIcmpError(packet, wire::icmp::FragmentationNeeded(mtu), context);
  }
  return DropReason::egress_too_big;
}

}  // namespace culvert::dataplane
