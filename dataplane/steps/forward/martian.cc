#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

// HasSourceRoute walks the options of a header that ParseIpv4 accepted; one that lies about its
// length ends the walk.
bool HasSourceRoute(wire::Octets header) {
  constexpr uint8_t kEnd = 0;
  constexpr uint8_t kNop = 1;
  constexpr uint8_t kLoose = 131;
  constexpr uint8_t kStrict = 137;
  size_t at = wire::ip::kIpv4HeaderLen;
  while (at < header.size() && header[at] != kEnd) {
    if (header[at] == kNop) {
      ++at;
      continue;
    }
    if (header[at] == kLoose || header[at] == kStrict) {
      return true;
    }
    if (header.size() - at < 2 || header[at + 1] < 2) {
      return false;
    }
    at += header[at + 1];
  }
  return false;
}

}  // namespace

// RFC 1812 s5.3.7; s5.3.13.4 for source routes.
Verdict MartianStep(Packet& packet, WorkerContext& context) {
  constexpr uint32_t kMulticast = 0xe;  // 224/4
  if (wire::ip::IsMartianSource(packet.ip.source)) {
    return Verdict::Drop(DropReason::martian_source);
  }
  if (wire::ip::IsMartianDestination(packet.ip.destination)) {
    return Verdict::Drop(DropReason::martian_destination);
  }
  if (packet.ip.destination >> 28 == kMulticast) {
    return Verdict::Drop(DropReason::multicast);
  }
  if (packet.ip.header_len > wire::ip::kIpv4HeaderLen &&
      HasSourceRoute({packet.data(), packet.ip.header_len})) {
    return Verdict::Drop(DropReason::source_route);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
