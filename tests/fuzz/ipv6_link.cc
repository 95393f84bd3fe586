// The router's end of a call's link: neighbour discovery and DHCPv6. Input: pieces of length and
// octets; a piece's first octet says what stands around the rest: 0: nothing, it is a whole packet;
// 1: ICMPv6 with a right checksum; 2: a DHCPv6 message in UDP; else that many seconds pass.
#include "controlplane/ipv6/dhcp_message.h"
#include "controlplane/ipv6/link.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace ipv6 = culvert::ipv6;

namespace {

using Bytes = std::vector<uint8_t>;

const ipv6::Address kClient = ipv6::LinkLocal(5);

std::shared_ptr<const ipv6::LinkSettings> Settings() {
  auto settings = std::make_shared<ipv6::LinkSettings>();
  settings->server_duid = {0, 4, 1, 2, 3};
  settings->mtu = 1396;
  return settings;
}

ipv6::LinkAssignment Assignment() {
  return {.prefix = culvert::config::ParsePrefix6("2001:db8:1:7::/64"),
          .delegated_prefix = culvert::config::ParsePrefix6("2001:db8:ff00::/56"),
          .dns = {*culvert::config::ParseIpv6("2001:db8::53")}};
}

Bytes PacketOf(uint8_t kind, Octets rest) {
  Bytes message(rest.begin(), rest.end());
  if (kind == 1) {
    message.resize(std::max<size_t>(message.size(), 4));
    return ipv6::EmitIcmp(kClient, ipv6::AllRouters(), std::move(message));
  }
  if (kind == 2) {
    Bytes packet = ipv6::EmitDhcp(kClient, ipv6::AllDhcpServers(), message);
    std::swap(packet[41], packet[43]);  // the ports; the checksum stays
    return packet;
  }
  return message;
}

void CheckMessage(Octets octets) {
  if (const auto message = ipv6::ParseDhcp(octets)) {
    const auto again = ipv6::ParseDhcp(ipv6::EmitDhcp(*message));
    Require(again.has_value() && *again == *message, "DHCPv6: Parse(Emit(x)) == x");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto settings = Settings();
  ipv6::LinkCounters counters;
  uint64_t now_ms = 1000;
  ipv6::Link link(settings, Assignment(), 1, 5, &counters, now_ms);
  const auto check = [](const ipv6::Link::Packets& packets) {
    Require(packets.size() <= 1, "one packet in, at most one out");
    for (const Bytes& packet : packets) {
      const auto parsed = ipv6::ParseLinkPacket(packet);
      Require(parsed.has_value(), "what goes out is well formed");
      Require(parsed->source == ipv6::LinkLocal(1), "it comes from the router");
      Require(packet.size() <= 1280 + 40, "it fits the link");
    }
  };
  culvert::wire::Reader in({data, size});
  while (in.remaining() > 0) {
    const Octets piece = in.Bytes(std::min<size_t>(in.U8(), in.remaining()));
    const uint8_t kind = piece.empty() ? 0 : piece[0];
    const Octets rest = piece.empty() ? piece : piece.subspan(1);
    if (kind > 2) {
      now_ms += kind * uint64_t{1000};
      if (link.deadline_ms() <= now_ms) {
        check(link.OnTimer(now_ms));
        Require(link.deadline_ms() > now_ms, "a timer that was served is not due again");
      }
      continue;
    }
    if (kind == 2) {
      CheckMessage(rest);
    }
    check(link.OnPacket(PacketOf(kind, rest), now_ms));
  }
  return 0;
}
