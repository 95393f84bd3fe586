#include "dataplane/steps/steps.h"

namespace culvert::dataplane {
namespace {

DropReason ReasonOf(wire::ip::Error error) {
  switch (error) {
    case wire::ip::Error::kTruncated:
      return DropReason::inner_ip_truncated;
    case wire::ip::Error::kBadVersion:
      return DropReason::inner_ip_version;
    case wire::ip::Error::kBadHeaderLen:
      return DropReason::inner_ip_header_len;
    case wire::ip::Error::kBadTotalLen:
      return DropReason::inner_ip_total_len;
    case wire::ip::Error::kBadChecksum:
      break;
  }
  return DropReason::inner_ip_checksum;
}

}  // namespace

// RFC 1812 s5.2.2. From here on the mbuf is the inner packet, without any padding.
Verdict InnerIpv4Step(Packet& packet, WorkerContext& context) {
  if (const auto error = wire::ip::ReadIpv4(packet.payload(), false, &packet.ip)) {
    return Verdict::Drop(ReasonOf(*error));
  }
  packet.Skip(packet.offset);
  packet.Cut(packet.ip.total_len);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
