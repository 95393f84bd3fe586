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
  const auto header = wire::ip::ParseIpv4(packet.payload());
  if (!header) {
    return Verdict::Drop(ReasonOf(header.error()));
  }
  packet.ip = *header;
  packet.Skip(packet.offset);
  packet.Cut(header->total_len);
  return Verdict::Next();
}

}  // namespace culvert::dataplane
