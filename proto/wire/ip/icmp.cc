#include "proto/wire/ip/icmp.h"

#include <algorithm>

namespace culvert::wire::icmp {
namespace {

constexpr uint8_t kTtl = 64;

// IsQuery: RFC 792, RFC 950, RFC 1256. Everything else may be an error of some kind.
bool IsQuery(uint8_t type) {
  return type == 0 || (type >= 8 && type <= 10) || (type >= 13 && type <= 18);
}

bool IsError(uint8_t type) { return (type >= 3 && type <= 5) || type == 11 || type == 12; }

// EmitMessage writes the ICMP part but its checksum.
void EmitMessage(const Message& message, Octets quote, uint8_t* out) {
  out[0] = message.type;
  out[1] = message.code;
  StoreBe16(out + 2, 0);
  StoreBe32(out + 4, message.mtu);
  std::copy(quote.begin(), quote.end(), out + kHeaderLen);
}

}  // namespace

bool MayAnswer(const ip::Ipv4Header& header, Octets packet) {
  constexpr uint32_t kMulticast = 0xe;  // 224/4
  if (!header.IsFirstFragment() || ip::IsMartianSource(header.source) ||
      ip::IsMartianDestination(header.destination) || header.destination >> 28 == kMulticast) {
    return false;
  }
  if (header.protocol != kProtocol) {
    return true;
  }
  return header.total_len > header.header_len && packet.size() > header.header_len &&
         IsQuery(packet[header.header_len]);
}

bool MayAnswerV6(const ip6::Header& header, Octets packet, const Message& message) {
  constexpr uint8_t kFirstQuery = 128;
  constexpr uint8_t kRedirect = 137;
  if (ip6::IsMartianSource(header.source)) {
    return false;
  }
  if (ip6::IsMulticast(header.destination) && message.type != PacketTooBigV6(0).type) {
    return false;
  }
  const auto upper = ip6::FindUpper(header, packet);
  if (!upper || !upper->IsFirstFragment()) {
    return false;
  }
  if (upper->protocol != ip6::kIcmp) {
    return true;
  }
  return upper->offset < packet.size() && upper->offset < header.TotalLen() &&
         packet[upper->offset] >= kFirstQuery && packet[upper->offset] != kRedirect;
}

size_t EmitErrorPacket(const Message& message, uint32_t source, uint32_t destination, uint16_t id,
                       Octets packet, std::span<uint8_t> out) {
  constexpr uint8_t kPrecedence = 0xc0;  // internetwork control
  const size_t len = ErrorPacketLen(packet.size());
  if (out.size() < len) {
    return 0;
  }
  uint8_t* header = out.data();
  uint8_t* icmp = header + ip::kIpv4HeaderLen;
  header[0] = 0x45;
  header[1] = kPrecedence;
  StoreBe16(header + 2, static_cast<uint16_t>(len));
  StoreBe16(header + 4, id);
  StoreBe16(header + 6, 0);
  header[8] = kTtl;
  header[9] = kProtocol;
  StoreBe16(header + 10, 0);
  StoreBe32(header + 12, source);
  StoreBe32(header + 16, destination);
  StoreBe16(header + 10, ip::Checksum({header, ip::kIpv4HeaderLen}));
  EmitMessage(message, packet.first(len - ip::kIpv4HeaderLen - kHeaderLen), icmp);
  StoreBe16(icmp + 2, ip::Checksum({icmp, len - ip::kIpv4HeaderLen}));
  return len;
}

size_t EmitErrorPacketV6(const Message& message, const ip6::Address& source,
                         const ip6::Address& destination, Octets packet, std::span<uint8_t> out) {
  const size_t len = ErrorPacketLenV6(packet.size());
  if (out.size() < len) {
    return 0;
  }
  ip6::Header header;
  header.payload_len = static_cast<uint16_t>(len - ip6::kHeaderLen);
  header.next_header = ip6::kIcmp;
  header.hop_limit = kTtl;
  header.source = source;
  header.destination = destination;
  ip6::Emit(header, out.data());
  uint8_t* icmp = out.data() + ip6::kHeaderLen;
  EmitMessage(message, packet.first(header.payload_len - kHeaderLen), icmp);
  StoreBe16(icmp + 2, ip6::Checksum(source, destination, ip6::kIcmp, {icmp, header.payload_len}));
  return len;
}

tl::expected<Quoted, ParseError> Parse(Octets in) {
  if (in.size() < kHeaderLen) {
    return tl::unexpected(ParseError::kTruncated);
  }
  if (!IsError(in[0])) {
    return tl::unexpected(ParseError::kNotAnError);
  }
  if (ip::Checksum(in) != 0) {
    return tl::unexpected(ParseError::kBadChecksum);
  }
  const Octets quote = in.subspan(kHeaderLen);
  const size_t header_len = quote.size() < ip::kIpv4HeaderLen ? 0 : (quote[0] & 0x0fU) * 4;
  if (header_len < ip::kIpv4HeaderLen || quote[0] >> 4 != 4 || header_len > quote.size()) {
    return tl::unexpected(ParseError::kBadQuote);
  }
  Quoted result;
  result.message = {in[0], in[1], 0};
  if (in[0] == 3 && in[1] == 4) {
    result.message.mtu = LoadBe16(&in[6]);  // the two octets before it are unused (RFC 1191 s4)
  }
  result.total_len = LoadBe16(&quote[2]);
  result.is_first_fragment = (LoadBe16(&quote[6]) & 0x1fff) == 0;
  result.protocol = quote[9];
  result.source = LoadBe32(&quote[12]);
  result.destination = LoadBe32(&quote[16]);
  result.payload = quote.subspan(header_len);
  return result;
}

}  // namespace culvert::wire::icmp
