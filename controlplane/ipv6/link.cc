#include "controlplane/ipv6/link.h"

#include <algorithm>
#include <limits>

#include "controlplane/ipv6/dhcp_server.h"
#include "controlplane/ipv6/discovery.h"

namespace culvert::ipv6 {
namespace {

constexpr uint64_t kMsPerSecond = 1000;
// RFC 4861 s10.
constexpr uint32_t kInitialAdvertisements = 3;  // intervals need no chance: no other router is here
constexpr uint64_t kInitialIntervalMs = 16 * kMsPerSecond;
// A client is answered at once, but not more often than this.
constexpr uint64_t kSolicitedIntervalMs = kMsPerSecond;
constexpr uint64_t kMaxRouterLifetimeS = 9000;  // s6.2.1

}  // namespace

config::Ipv6Address AddressIn(const config::Ipv6Prefix& prefix, uint64_t interface_id) {
  config::Ipv6Address address = LinkLocal(interface_id);
  std::fill_n(address.begin(), 8, uint8_t{0});
  for (unsigned i = 0; i < address.size(); ++i) {
    const unsigned bits = prefix.length > 8 * i ? std::min(8U, prefix.length - 8 * i) : 0;
    const auto host = static_cast<uint8_t>(0xff >> bits);
    address[i] = static_cast<uint8_t>((prefix.address[i] & ~host) | (address[i] & host));
  }
  return address;
}

Link::Link(std::shared_ptr<const LinkSettings> settings, LinkAssignment assignment,
           uint64_t gateway_id, uint64_t client_id, LinkCounters* counters, uint64_t now_ms)
    : settings_(std::move(settings)),
      assignment_(std::move(assignment)),
      gateway_(LinkLocal(gateway_id)),
      client_id_(client_id),
      counters_(counters),
      advertise_ms_(now_ms) {}

uint64_t Link::deadline_ms() const {
  return std::min(advertise_ms_,
                  delegated_until_ms_.value_or(std::numeric_limits<uint64_t>::max()));
}

Link::Packets Link::OnTimer(uint64_t now_ms) {
  Packets out;
  if (delegated_until_ms_ && now_ms >= *delegated_until_ms_) {
    delegated_until_ms_.reset();
  }
  if (now_ms >= advertise_ms_) {
    const uint64_t interval_ms = settings_->advertisement_interval_s * kMsPerSecond;
    advertise_ms_ = now_ms + (++num_initial_ < kInitialAdvertisements
                                  ? std::min(kInitialIntervalMs, interval_ms)
                                  : interval_ms);
    ++counters_->advertisements;
    out.push_back(Advertisement(AllNodes()));
  }
  return out;
}

Link::Packets Link::OnPacket(wire::Octets packet, uint64_t now_ms) {
  Packets out;
  const auto parsed = ParseLinkPacket(packet);
  if (!parsed) {
    ++counters_->malformed;
  } else if (parsed->protocol == wire::ip6::kIcmp) {
    OnIcmp(*parsed, now_ms, &out);
  } else if (parsed->destination_port == kDhcpServerPort) {
    OnDhcp(*parsed, now_ms, &out);
  } else {
    ++counters_->ignored;
  }
  return out;
}

bool Link::IsOurs(const Address& address) const { return address == gateway_; }

void Link::OnIcmp(const LinkPacket& packet, uint64_t now_ms, Packets* out) {
  switch (packet.payload[0]) {
    case kRouterSolicitation:
      return OnRouterSolicitation(packet, now_ms, out);
    case kNeighbourSolicitation:
      return OnNeighbourSolicitation(packet, out);
    case kEchoRequest:
      return OnEchoRequest(packet, out);
    default:
      ++counters_->ignored;
  }
}

void Link::OnRouterSolicitation(const LinkPacket& packet, uint64_t now_ms, Packets* out) {
  if (!CheckRouterSolicitation(packet)) {
    ++counters_->malformed;
    return;
  }
  if (answered_ms_ && now_ms < *answered_ms_ + kSolicitedIntervalMs) {
    // The next one to all comes soon instead (RFC 4861 s6.2.6).
    advertise_ms_ = std::min(advertise_ms_, *answered_ms_ + kSolicitedIntervalMs);
    return;
  }
  answered_ms_ = now_ms;
  ++counters_->advertisements;
  const bool from_nowhere = wire::ip6::IsUnspecified(packet.source);
  out->push_back(Advertisement(from_nowhere ? AllNodes() : packet.source));
}

void Link::OnNeighbourSolicitation(const LinkPacket& packet, Packets* out) {
  const auto target = ParseNeighbourSolicitation(packet);
  if (!target) {
    ++counters_->malformed;
    return;
  }
  if (!IsOurs(*target)) {
    ++counters_->ignored;  // its own address, which nobody else has
    return;
  }
  const bool from_nowhere = wire::ip6::IsUnspecified(packet.source);
  out->push_back(EmitIcmp(gateway_, from_nowhere ? AllNodes() : packet.source,
                          EmitNeighbourAdvertisement(*target, !from_nowhere)));
}

void Link::OnEchoRequest(const LinkPacket& packet, Packets* out) {
  const bool for_us = IsOurs(packet.destination) || packet.destination == AllNodes() ||
                      packet.destination == AllRouters();
  if (!for_us || wire::ip6::IsUnspecified(packet.source) || packet.payload.size() < 8) {
    ++counters_->ignored;
    return;
  }
  std::vector<uint8_t> reply(packet.payload.begin(), packet.payload.end());
  reply[0] = kEchoReply;
  out->push_back(EmitIcmp(gateway_, packet.source, std::move(reply)));
}

void Link::OnDhcp(const LinkPacket& packet, uint64_t now_ms, Packets* out) {
  const bool to_group = packet.destination == AllDhcpServers();
  if ((!to_group && !IsOurs(packet.destination)) || wire::ip6::IsUnspecified(packet.source)) {
    ++counters_->ignored;
    return;
  }
  const auto message = ParseDhcp(packet.payload);
  if (!message) {
    ++counters_->malformed;
    return;
  }
  const DhcpAnswer answer = AnswerDhcp(*message, !to_group, *settings_, assignment_, client_id_);
  if (answer.delegates) {
    delegated_until_ms_.reset();
    if (*answer.delegates) {
      delegated_until_ms_ = now_ms + settings_->valid_lifetime_s * kMsPerSecond;
    }
  }
  if (!answer.reply) {
    ++counters_->ignored;
    return;
  }
  ++counters_->dhcp_replies;
  const std::vector<uint8_t> octets = EmitDhcp(*answer.reply);
  out->push_back(EmitDhcp(gateway_, packet.source, octets));
}

std::vector<uint8_t> Link::Advertisement(const Address& destination) const {
  RouterAdvertisement advertisement;
  const auto lifetime_s = static_cast<uint16_t>(
      std::min<uint64_t>(3 * uint64_t{settings_->advertisement_interval_s}, kMaxRouterLifetimeS));
  advertisement.router_lifetime_s = lifetime_s;
  advertisement.mtu = settings_->mtu;
  advertisement.dns = assignment_.dns;
  advertisement.dns_lifetime_s = lifetime_s;
  advertisement.other = !assignment_.dns.empty() || assignment_.delegated_prefix.has_value();
  if (assignment_.prefix) {
    // RFC 4862 s5.5.3: addresses are formed with 64 bits of identifier.
    const bool can_form = assignment_.prefix->length == 64;
    const bool forms = can_form && settings_->addressing != Addressing::kDhcp;
    advertisement.managed = !can_form || settings_->addressing != Addressing::kSlaac;
    advertisement.prefix = {.prefix = *assignment_.prefix,
                            .on_link = true,
                            .autonomous = forms,
                            .valid_s = settings_->valid_lifetime_s,
                            .preferred_s = settings_->preferred_lifetime_s};
  }
  return EmitIcmp(gateway_, destination, Emit(advertisement));
}

}  // namespace culvert::ipv6
