#include "proto/wire/ip/ip.h"

#include <algorithm>

namespace culvert::wire::ip {
namespace {

constexpr uint8_t kTcp = 6;
constexpr size_t kTcpHeaderLen = 20;
constexpr size_t kTcpFlags = 13;
constexpr size_t kTcpChecksum = 16;
constexpr uint8_t kSyn = 0x02;

// FindMss gives the offset of the MSS value in a TCP header (whole, options included); 0: none.
size_t FindMss(std::span<const uint8_t> tcp) {
  constexpr uint8_t kEnd = 0;
  constexpr uint8_t kNop = 1;
  constexpr uint8_t kMss = 2;
  size_t at = kTcpHeaderLen;
  while (at < tcp.size() && tcp[at] != kEnd) {
    if (tcp[at] == kNop) {
      ++at;
      continue;
    }
    if (tcp.size() - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > tcp.size() - at) {
      return 0;
    }
    if (tcp[at] == kMss && tcp[at + 1] == 4) {
      return at + 2;
    }
    at += tcp[at + 1];
  }
  return 0;
}

}  // namespace

bool ClampTcpMss(std::span<uint8_t> packet, const Ipv4Header& header, uint16_t mss) {
  if (header.protocol != kTcp || !header.IsFirstFragment()) {
    return false;
  }
  packet = packet.first(std::min<size_t>(packet.size(), header.total_len));
  return ClampSegmentMss(packet.subspan(header.header_len), mss);
}

bool ClampSegmentMss(std::span<uint8_t> tcp, uint16_t mss) {
  if (tcp.size() <= kTcpHeaderLen || (tcp[kTcpFlags] & kSyn) == 0) {
    return false;
  }
  const size_t tcp_header_len = static_cast<size_t>(tcp[12] >> 4) * 4;
  if (tcp_header_len <= kTcpHeaderLen || tcp_header_len > tcp.size()) {
    return false;
  }
  const size_t at = FindMss(tcp.first(tcp_header_len));
  const uint16_t old_mss = at == 0 ? 0 : LoadBe16(&tcp[at]);
  if (old_mss <= mss) {
    return false;
  }
  StoreBe16(&tcp[at], mss);
  // At an odd offset the octets are the low one of a word and the high one of the next: their
  // sum is that of the swapped value.
  const bool odd = at % 2 != 0;
  const uint16_t from = odd ? __builtin_bswap16(old_mss) : old_mss;
  const uint16_t to = odd ? __builtin_bswap16(mss) : mss;
  StoreBe16(&tcp[kTcpChecksum], UpdateChecksum(LoadBe16(&tcp[kTcpChecksum]), from, to));
  return true;
}

}  // namespace culvert::wire::ip
