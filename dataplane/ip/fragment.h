// Cutting an IPv4 packet into fragments (RFC 791 s3.2, RFC 1812 s4.2.2.7).
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>
#include <tl/expected.hpp>

#include "proto/wire/ip/ip.h"

namespace culvert::dataplane {

// Most fragments that one packet is cut into.
constexpr unsigned kMaxFragments = 64;

enum class FragmentError : uint8_t {
  kMtuTooSmall,  // not even 8 octets of payload fit
  kTooMany,      // more than kMaxFragments, or than `rest` has room for and one
  kNoBuffer,     // the pool is empty, or its buffers are smaller than the MTU
};

// Fragment cuts the packet that begins at the mbuf's data, without padding, and that ParseIpv4
// accepted as `header`, into fragments of at most `mtu` octets. The mbuf itself becomes the first
// one; the others are new mbufs of `pool` with the pool's headroom before them, in order, owned by
// the caller, `rest[0]` first. Returns the number in `rest`. DF is the caller's business. On an
// error nothing has changed.
[[nodiscard]] tl::expected<unsigned, FragmentError> Fragment(rte_mbuf* packet,
                                                             const wire::ip::Ipv4Header& header,
                                                             uint16_t mtu, rte_mempool* pool,
                                                             std::span<rte_mbuf*> rest);

}  // namespace culvert::dataplane
