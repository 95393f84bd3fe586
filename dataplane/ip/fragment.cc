#include "dataplane/ip/fragment.h"

#include <algorithm>
#include <cstring>

namespace culvert::dataplane {
namespace {

constexpr uint16_t kMoreFragments = 0x2000;

// CopiedHeader writes the header of the fragments after the first: options without the copied flag
// are left out (RFC 791 s3.1). Returns its length.
uint8_t CopiedHeader(const uint8_t* header, uint8_t header_len, uint8_t* out) {
  constexpr uint8_t kEnd = 0;
  constexpr uint8_t kNop = 1;
  constexpr uint8_t kCopied = 0x80;
  std::memcpy(out, header, wire::ip::kIpv4HeaderLen);
  size_t len = wire::ip::kIpv4HeaderLen;
  size_t at = wire::ip::kIpv4HeaderLen;
  while (at < header_len && header[at] != kEnd) {
    if (header[at] == kNop) {
      ++at;
      continue;
    }
    // An option that lies about its length ends the list.
    if (header_len - at < 2 || header[at + 1] < 2 || header[at + 1] > header_len - at) {
      break;
    }
    const size_t option_len = header[at + 1];
    if ((header[at] & kCopied) != 0) {
      std::memcpy(out + len, header + at, option_len);
      len += option_len;
    }
    at += option_len;
  }
  while (len % 4 != 0) {
    out[len++] = kEnd;
  }
  out[0] = static_cast<uint8_t>(0x40 | len / 4);
  return static_cast<uint8_t>(len);
}

// FinishHeader writes the fields that differ between fragments.
void FinishHeader(uint8_t* header, uint8_t header_len, size_t payload_len, uint16_t fragment) {
  wire::StoreBe16(header + 2, static_cast<uint16_t>(header_len + payload_len));
  wire::StoreBe16(header + 6, fragment);
  wire::StoreBe16(header + 10, 0);
  wire::StoreBe16(header + 10, wire::ip::Checksum({header, header_len}));
}

}  // namespace

tl::expected<unsigned, FragmentError> Fragment(rte_mbuf* packet, const wire::ip::Ipv4Header& header,
                                               uint16_t mtu, rte_mempool* pool,
                                               std::span<rte_mbuf*> rest) {
  // The fragments after the first have a header that is no longer.
  if (mtu < header.header_len + 8) {
    return tl::unexpected(FragmentError::kMtuTooSmall);
  }
  auto* const octets = rte_pktmbuf_mtod(packet, uint8_t*);
  uint8_t copied[60];
  const uint8_t copied_len = CopiedHeader(octets, header.header_len, copied);
  const size_t first_len = (mtu - header.header_len) & ~size_t{7};
  const size_t next_len = (mtu - copied_len) & ~size_t{7};
  const size_t payload_len = header.total_len - header.header_len;
  if (payload_len <= first_len) {
    return 0;
  }
  const size_t num = (payload_len - first_len + next_len - 1) / next_len;
  if (num > std::min<size_t>(rest.size(), kMaxFragments - 1)) {
    return tl::unexpected(FragmentError::kTooMany);
  }
  if (copied_len + next_len + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(pool) ||
      rte_pktmbuf_alloc_bulk(pool, rest.data(), static_cast<unsigned>(num)) != 0) {
    return tl::unexpected(FragmentError::kNoBuffer);
  }
  const uint8_t* from = octets + header.header_len + first_len;
  size_t left = payload_len - first_len;
  auto field = static_cast<uint16_t>(header.fragment + first_len / 8);  // the flags stay
  for (size_t i = 0; i < num; ++i) {
    const size_t len = std::min(left, next_len);
    auto* to = reinterpret_cast<uint8_t*>(
        rte_pktmbuf_append(rest[i], static_cast<uint16_t>(copied_len + len)));
    std::memcpy(to, copied, copied_len);
    std::memcpy(to + copied_len, from, len);
    left -= len;
    from += len;
    // What was the last fragment before has the last one among its own.
    FinishHeader(to, copied_len, len,
                 left == 0 ? field : static_cast<uint16_t>(field | kMoreFragments));
    field = static_cast<uint16_t>(field + len / 8);
  }
  FinishHeader(octets, header.header_len, first_len,
               static_cast<uint16_t>(header.fragment | kMoreFragments));
  rte_pktmbuf_trim(packet, static_cast<uint16_t>(payload_len - first_len));
  return static_cast<unsigned>(num);
}

}  // namespace culvert::dataplane
