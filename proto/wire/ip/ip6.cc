#include "proto/wire/ip/ip6.h"

#include <algorithm>

#include "proto/wire/ip/ip.h"

namespace culvert::wire::ip6 {
namespace {

constexpr size_t kMaxExtensions = 8;

// IsZero looks at the address's first `len` octets.
bool IsZero(const Address& address, size_t len) {
  return std::all_of(address.begin(), address.begin() + static_cast<ptrdiff_t>(len),
                     [](uint8_t octet) { return octet == 0; });
}

bool IsExtension(uint8_t protocol) {
  switch (protocol) {
    case kHopByHop:
    case kRouting:
    case kFragment:
    case kAuthentication:
    case kDestinationOptions:
    case kMobility:
      return true;
    default:
      return false;
  }
}

// ExtensionLen is the length of an extension header of at least two octets (RFC 8200 s4.3-4.6,
// RFC 4302 s2.2).
size_t ExtensionLen(uint8_t protocol, const uint8_t* extension) {
  if (protocol == kFragment) {
    return 8;
  }
  return protocol == kAuthentication ? (extension[1] + 2U) * 4 : (extension[1] + 1U) * 8;
}

}  // namespace

tl::expected<Header, Error> Parse(Octets in) {
  if (in.size() < kHeaderLen) {
    return tl::unexpected(Error::kTruncated);
  }
  const uint32_t word = LoadBe32(in.data());
  if (word >> 28 != 6) {
    return tl::unexpected(Error::kBadVersion);
  }
  Header header;
  header.payload_len = LoadBe16(&in[4]);
  if (header.TotalLen() > in.size()) {
    return tl::unexpected(Error::kBadPayloadLen);
  }
  header.traffic_class = static_cast<uint8_t>(word >> 20);
  header.flow_label = word & 0xfffff;
  header.next_header = in[6];
  header.hop_limit = in[7];
  std::copy_n(&in[8], header.source.size(), header.source.begin());
  std::copy_n(&in[24], header.destination.size(), header.destination.begin());
  return header;
}

void Emit(const Header& header, uint8_t* out) {
  StoreBe32(out, 6U << 28 | static_cast<uint32_t>(header.traffic_class) << 20 |
                     (header.flow_label & 0xfffff));
  StoreBe16(out + 4, header.payload_len);
  out[6] = header.next_header;
  out[7] = header.hop_limit;
  std::copy(header.source.begin(), header.source.end(), out + 8);
  std::copy(header.destination.begin(), header.destination.end(), out + 24);
}

tl::expected<Upper, Error> FindUpper(const Header& header, Octets packet) {
  packet = packet.first(std::min(packet.size(), header.TotalLen()));
  Upper upper;
  upper.protocol = header.next_header;
  size_t at = kHeaderLen;
  for (size_t i = 0; IsExtension(upper.protocol); ++i) {
    if (i == kMaxExtensions || packet.size() < at + 8) {
      return tl::unexpected(Error::kBadExtension);
    }
    const uint8_t* extension = &packet[at];
    const size_t len = ExtensionLen(upper.protocol, extension);
    if (packet.size() - at < len) {
      return tl::unexpected(Error::kBadExtension);
    }
    const uint8_t kind = upper.protocol;
    upper.protocol = extension[0];
    at += len;
    if (kind == kRouting && extension[2] == 0) {
      upper.has_routing_type0 = true;
    }
    if (kind == kFragment) {
      upper.is_fragment = true;
      upper.fragment_offset = LoadBe16(extension + 2) & 0xfff8;
      if (upper.fragment_offset != 0) {
        break;
      }
    }
  }
  upper.offset = static_cast<uint16_t>(at);
  return upper;
}

uint16_t Checksum(const Address& source, const Address& destination, uint8_t protocol,
                  Octets payload) {
  std::array<uint8_t, 40> pseudo{};
  std::copy(source.begin(), source.end(), pseudo.begin());
  std::copy(destination.begin(), destination.end(), pseudo.begin() + 16);
  StoreBe32(&pseudo[32], static_cast<uint32_t>(payload.size()));
  pseudo[39] = protocol;
  const uint16_t head = static_cast<uint16_t>(~ip::Checksum(pseudo));
  const uint16_t tail = static_cast<uint16_t>(~ip::Checksum(payload));
  const uint32_t sum = static_cast<uint32_t>(head) + tail;
  return static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
}

bool IsUnspecified(const Address& address) { return IsZero(address, 16); }

bool IsLoopback(const Address& address) { return IsZero(address, 15) && address[15] == 1; }

bool IsIpv4Mapped(const Address& address) {
  return IsZero(address, 10) && address[10] == 0xff && address[11] == 0xff;
}

bool IsMartianSource(const Address& address) {
  return IsMulticast(address) || IsMartianDestination(address);
}

bool IsMartianDestination(const Address& address) {
  return IsUnspecified(address) || IsLoopback(address) || IsIpv4Mapped(address);
}

}  // namespace culvert::wire::ip6
