#include "dataplane/ip/spawn_fragments.h"

#include <algorithm>
#include <array>

#include "dataplane/ip/fragment.h"

namespace culvert::dataplane {

std::optional<DropReason> SpawnFragments(Packet& packet, const wire::ip::Ipv4Header& header,
                                         uint16_t mtu, Stage stage, DropReason too_big,
                                         WorkerContext* context) {
  std::array<rte_mbuf*, kMaxFragments - 1> rest;
  const size_t room = std::min<size_t>(rest.size(), context->spawned.Room());
  const auto num =
      Fragment(packet.mbuf(), header, mtu, context->mbufs, std::span(rest).first(room));
  if (!num) {
    return num.error() == FragmentError::kNoBuffer ? DropReason::no_buffer : too_big;
  }
  packet.mbuf()->ol_flags &= ~kTxChecksumFlags;  // they have theirs
  packet.ip = *wire::ip::ParseIpv4({packet.data(), packet.data_len()});
  for (unsigned i = 0; i < *num; ++i) {
    Packet& fragment = ResetPacket(rest[i]);
    fragment.ip = *wire::ip::ParseIpv4({fragment.data(), fragment.data_len()});
    fragment.call = packet.call;
    fragment.call_index = packet.call_index;
    fragment.next_hop = packet.next_hop;
    fragment.port = packet.port;
    fragment.downstream = packet.downstream;
    fragment.from_kernel = true;  // its TTL was looked after before
    context->Spawn(stage, fragment);
  }
  return std::nullopt;
}

}  // namespace culvert::dataplane
