// IPv6 headers (RFC 8200) and the errors of ICMPv6 and ICMP about packets (RFC 4443, RFC 1812
// s4.3). Input: a packet; also read as an ICMP message.
#include "proto/wire/ip/icmp.h"

#include <vector>

#include "tests/fuzz/property.h"

using culvert::fuzz::Equal;
using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace icmp = culvert::wire::icmp;
namespace ip = culvert::wire::ip;
namespace ip6 = culvert::wire::ip6;

namespace {

void CheckV6(Octets packet) {
  const auto header = ip6::Parse(packet);
  if (!header.has_value()) {
    return;
  }
  Require(header->TotalLen() <= packet.size(), "the length lies within the packet");
  std::vector<uint8_t> again(ip6::kHeaderLen);
  ip6::Emit(*header, again.data());
  Require(Equal(again, packet.first(ip6::kHeaderLen)), "emitted as parsed");
  const auto upper = ip6::FindUpper(*header, packet);
  if (upper.has_value()) {
    Require(upper->offset >= ip6::kHeaderLen && upper->offset <= header->TotalLen(),
            "the upper header lies within the packet");
  }
  const icmp::Message message = icmp::PacketTooBigV6(1400);
  std::vector<uint8_t> error(icmp::ErrorPacketLenV6(packet.size()));
  Require(icmp::EmitErrorPacketV6(message, header->destination, header->source, packet, error) ==
              error.size(),
          "the error has the length foretold");
  const auto own = ip6::Parse(error);
  Require(own.has_value() && own->TotalLen() == error.size() &&
              error.size() <= icmp::kMaxErrorPacketLenV6,
          "it is a packet");
  Require(ip6::Checksum(own->source, own->destination, ip6::kIcmp,
                        Octets(error).subspan(ip6::kHeaderLen)) == 0,
          "its checksum is right");
  Require(!icmp::MayAnswerV6(*own, error, icmp::kNoRouteV6), "no error about an error");
  (void)icmp::MayAnswerV6(*header, packet, message);
}

void CheckV4(Octets packet) {
  const auto header = ip::ParseIpv4(packet);
  if (!header.has_value()) {
    return;
  }
  const bool may = icmp::MayAnswer(*header, packet);
  Require(!may || (header->IsFirstFragment() && !ip::IsMartianSource(header->source)),
          "fragments and martians get no answer");
  std::vector<uint8_t> error(icmp::ErrorPacketLen(packet.size()));
  Require(icmp::EmitErrorPacket(icmp::FragmentationNeeded(1000), 0x0a000001, 0x0a000002, 7, packet,
                                error) == error.size(),
          "the error has the length foretold");
  const auto own = ip::ParseIpv4(error);
  Require(own.has_value() && own->total_len == error.size(), "it is a packet");
  Require(!icmp::MayAnswer(*own, error), "no error about an error");
  const auto quoted = icmp::Parse(Octets(error).subspan(own->header_len));
  Require(quoted.has_value() && quoted->message == icmp::FragmentationNeeded(1000) &&
              quoted->source == header->source && quoted->destination == header->destination,
          "parsed as emitted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets input(data, size);
  CheckV6(input);
  CheckV4(input);
  const auto quoted = icmp::Parse(input);
  if (quoted.has_value()) {
    Require(quoted->payload.size() + 28 <= size, "the quoted packet lies within the message");
  }
  // Put right what chance seldom is.
  std::vector<uint8_t> packet(input.begin(), input.end());
  if (packet.size() >= 8) {
    packet[2] = packet[3] = 0;
    culvert::wire::StoreBe16(&packet[2], ip::Checksum(packet));
    (void)icmp::Parse(packet);
  }
  const size_t header_len = input.empty() ? 0 : (input[0] & 15U) * 4;
  if (header_len >= 20 && size >= header_len) {
    packet.assign(input.begin(), input.end());
    culvert::wire::StoreBe16(&packet[10], 0);
    culvert::wire::StoreBe16(&packet[10], ip::Checksum(Octets(packet).first(header_len)));
    CheckV4(packet);
  }
  return 0;
}
