#include "dataplane/mppe/receive/plausible.h"

#include "proto/wire/byte_order.h"

namespace culvert::dataplane::mppe {
namespace {

// Other protocols that have ever been seen inside of MPPE (RFC 1661's assigned numbers): AppleTalk,
// IPX, VJ, bridging, multilink, NetBIOS.
bool IsKnown(uint16_t protocol) {
  switch (protocol) {
    case 0x0029:
    case 0x002b:
    case wire::ppp::kVjCompressed:
    case wire::ppp::kVjUncompressed:
    case 0x0031:
    case wire::ppp::kMultilink:
    case 0x003f:
      return true;
    default:
      return false;
  }
}

// An IP packet shows by its header; other protocols only count with both octets, since a random
// octet is often a compressed protocol.
bool IsPlausible(const wire::ppp::Frame& frame, size_t protocol_len, size_t information_len) {
  const wire::Octets information = frame.information;
  switch (frame.protocol) {
    case wire::ppp::kIpv4:
      return information.size() >= 20 && information[0] >> 4 == 4 && (information[0] & 0x0f) >= 5 &&
             wire::LoadBe16(&information[2]) <= information_len;
    case wire::ppp::kIpv6:
      return information.size() >= 40 && information[0] >> 4 == 6 &&
             wire::LoadBe16(&information[4]) + 40U <= information_len;
    default:
      return protocol_len == 2 && IsKnown(frame.protocol);
  }
}

}  // namespace

tl::expected<wire::ppp::Frame, wire::ppp::Error> ParsePlausible(wire::Octets text, size_t len) {
  // FF 03 never stands inside: the frame begins at its protocol field.
  if (!text.empty() && text[0] == 0xff) {
    return tl::unexpected(wire::ppp::Error::kBadProtocol);
  }
  auto frame = wire::ppp::ParseFrame(text);
  if (!frame) {
    return frame;
  }
  const size_t protocol_len = text.size() - frame->information.size();
  if (!IsPlausible(*frame, protocol_len, len - protocol_len)) {
    return tl::unexpected(wire::ppp::Error::kBadProtocol);
  }
  return frame;
}

}  // namespace culvert::dataplane::mppe
