// What a PPP frame is, seen before its turn to be parsed.
#pragma once

#include "dataplane/packet/packet.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// PeekProtocol gives the octets from the protocol field on: without address and control.
inline std::span<const uint8_t> PeekProtocol(Packet& packet) {
  const std::span<const uint8_t> frame = packet.payload();
  const bool has_address = frame.size() >= 2 && frame[0] == 0xff && frame[1] == 0x03;
  return has_address ? frame.subspan(2) : frame;
}

// IsEncrypted: an MPPE frame, with either form of the protocol field.
inline bool IsEncrypted(Packet& packet) {
  const auto at = PeekProtocol(packet);
  return (!at.empty() && at[0] == wire::ppp::kMppe) ||
         (at.size() >= 2 && wire::LoadBe16(at.data()) == wire::ppp::kMppe);
}

// IsLcpEcho: an Echo-Request or Echo-Reply (RFC 1661 s5.8).
inline bool IsLcpEcho(Packet& packet) {
  const auto at = PeekProtocol(packet);
  return at.size() >= 3 && wire::LoadBe16(at.data()) == wire::ppp::kLcp &&
         (at[2] == wire::ppp::kEchoRequest || at[2] == wire::ppp::kEchoReply);
}

}  // namespace culvert::dataplane
