#include "controlplane/radius/login/grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "controlplane/logging/printable.h"
#include "controlplane/radius/login/cisco_avpair.h"
#include "controlplane/radius/rate_limit.h"
#include "controlplane/radius/session_attributes.h"

namespace culvert::radius {

namespace {

constexpr size_t kMaxDns = 2, kMaxDns6 = 4, kMaxRoutes = 16;

// IsHost: neither "this network", nor loopback, nor multicast and what lies above it.
bool IsHost(uint32_t address) {
  constexpr uint32_t kThisNetwork = 0, kLoopback = 127, kMulticast = 224;
  const uint32_t first = address >> 24;
  return first != kThisNetwork && first != kLoopback && first < kMulticast;
}

// GrantReader reads attribute after attribute into the grants; the first that is wrong is kept.
class GrantReader {
 public:
  explicit GrantReader(const Packet& packet) : packet_(packet) {}

  tl::expected<CallGrants, std::string> Read() {
    CheckService();
    ReadAddress();
    ReadRoutes();
    ReadLimits();
    ReadRates();
    ReadCisco();
    ReadNameServers();
    ReadIpv6();
    ReadIpv6Lists();
    for (const Attribute& attribute : packet_.attributes) {
      if (attribute.id == attr::kClass) {
        grants_.classes.emplace_back(attribute.value.begin(), attribute.value.end());
      }
    }
    grants_.filter_id = Text(attr::kFilterId);
    const std::vector<uint8_t> rules = packet_.Join(attr::kNasFilterRule);
    grants_.filter_rules = TextOf(rules);
    ReadMarks();
    grants_.address_lists = packet_.JoinTexts(attr::kMikrotikAddressList, ',');
    if (!wrong_.empty()) {
      return tl::unexpected(std::move(wrong_));
    }
    return std::move(grants_);
  }

 private:
  void Wrong(std::string_view name) {
    if (wrong_.empty()) {
      wrong_ = fmt::format("the Access-Accept has a bad {}", name);
    }
  }
  std::optional<uint32_t> Integer(AttributeId id, std::string_view name) {
    const Attribute* attribute = packet_.Find(id);
    if (attribute == nullptr) {
      return std::nullopt;
    }
    const std::optional<uint32_t> value = IntegerOf(attribute->value);
    if (!value) {
      Wrong(name);
    }
    return value;
  }
  std::string Text(AttributeId id) {
    const Attribute* attribute = packet_.Find(id);
    return attribute == nullptr ? std::string() : std::string(TextOf(attribute->value));
  }

  void ReadMarks() {
    AccountingMarks marks{.chargeable_identity = Text(attr::kChargeableUserIdentity),
                          .ms_chap_domain = Text(attr::kMsChapDomain)};
    if (!marks.chargeable_identity.empty() || !marks.ms_chap_domain.empty()) {
      grants_.marks = std::make_shared<const AccountingMarks>(std::move(marks));
    }
  }

  void CheckService() {
    const auto service = Integer(attr::kServiceType, "Service-Type");
    const auto protocol = Integer(attr::kFramedProtocol, "Framed-Protocol");
    if (service.value_or(kServiceTypeFramed) != kServiceTypeFramed) {
      Wrong(fmt::format("Service-Type: {}, only Framed can be had here", *service));
    }
    if (protocol.value_or(kFramedProtocolPpp) != kFramedProtocolPpp) {
      Wrong(fmt::format("Framed-Protocol: {}, only PPP can be had here", *protocol));
    }
    bool has_type = false, has_pptp = false;
    for (const Attribute& attribute : packet_.attributes) {
      if (attribute.id == attr::kTunnelType) {
        const auto type = TaggedIntegerOf(attribute.value);
        has_type = true;
        has_pptp = has_pptp || (type && type->value == kTunnelTypePptp);
      }
    }
    if (has_type && !has_pptp) {
      Wrong("Tunnel-Type: only PPTP can be had here");
    }
  }

  void ReadAddress() {
    constexpr uint32_t kUserMayChoose = 0xffffffff, kFromPool = 0xfffffffe;
    const auto address = Integer(attr::kFramedIpAddress, "Framed-IP-Address");
    if (address && *address != kUserMayChoose && *address != kFromPool) {
      if (!IsHost(*address)) {
        return Wrong("Framed-IP-Address: no host can have it");
      }
      grants_.fixed_address = *address;
    }
    const auto mask = Integer(attr::kFramedIpNetmask, "Framed-IP-Netmask");
    if (mask && (~*mask & (~*mask + 1)) != 0) {
      Wrong("Framed-IP-Netmask: ones after a zero");
    } else if (mask && *mask != 0xffffffff && *mask != 0 && grants_.fixed_address != 0) {
      grants_.routes.push_back({.address = grants_.fixed_address & *mask,
                                .length = static_cast<uint8_t>(std::popcount(*mask))});
    }
    grants_.pool = Text(attr::kFramedPool);
    const auto mtu = Integer(attr::kFramedMtu, "Framed-MTU");
    if (mtu && *mtu >= 64 && *mtu <= 65535) {
      grants_.mtu = static_cast<uint16_t>(*mtu);
    }
  }

  void ReadRoutes() {
    for (const Attribute& attribute : packet_.attributes) {
      if (attribute.id == attr::kFramedRoute) {
        const auto route = ParseFramedRoute(TextOf(attribute.value));
        if (!route || grants_.routes.size() >= kMaxRoutes) {
          Wrong(fmt::format("Framed-Route: {}", Printable(TextOf(attribute.value))));
          return;
        }
        grants_.routes.push_back(*route);
      }
    }
  }

  void ReadLimits() {
    grants_.session_timeout_s = Integer(attr::kSessionTimeout, "Session-Timeout");
    grants_.idle_timeout_s = Integer(attr::kIdleTimeout, "Idle-Timeout");
    grants_.interim_interval_s = Integer(attr::kAcctInterimInterval, "Acct-Interim-Interval");
    grants_.max_sessions = Integer(attr::kPortLimit, "Port-Limit");
    const auto total = Integer(attr::kMikrotikTotalLimit, "Mikrotik-Total-Limit");
    const auto gigawords =
        Integer(attr::kMikrotikTotalLimitGigawords, "Mikrotik-Total-Limit-Gigawords");
    if (total || gigawords) {
      grants_.octet_quota = uint64_t{gigawords.value_or(0)} << 32 | total.value_or(0);
    }
    const auto session = Integer(attr::kSessionOctetsLimit, "Session-Octets-Limit");
    const auto direction = Integer(attr::kOctetsDirection, "Octets-Direction");
    // Only the sum of both directions (0) is counted against a quota here.
    if (direction.value_or(0) != 0) {
      Wrong("Octets-Direction: only 0, both directions, can be had here");
    } else if (session) {
      grants_.octet_quota = std::min<uint64_t>(grants_.octet_quota.value_or(UINT64_MAX), *session);
    }
  }

  // Mikrotik-Rate-Limit before WISPr, as RouterOS has it.
  void ReadRates() {
    if (const Attribute* attribute = packet_.Find(attr::kMikrotikRateLimit)) {
      const auto rates = ParseRateLimit(TextOf(attribute->value));
      if (!rates) {
        return Wrong(fmt::format("Mikrotik-Rate-Limit: {}", Printable(TextOf(attribute->value))));
      }
      grants_.upstream_bps = rates->upstream_bps;
      grants_.downstream_bps = rates->downstream_bps;
      return;
    }
    if (const auto up = Integer(attr::kWisprBandwidthMaxUp, "WISPr-Bandwidth-Max-Up")) {
      grants_.upstream_bps = *up;
    }
    if (const auto down = Integer(attr::kWisprBandwidthMaxDown, "WISPr-Bandwidth-Max-Down")) {
      grants_.downstream_bps = *down;
    }
  }

  // The pairs come last: attributes made for the purpose have precedence.
  void ReadCisco() {
    std::optional<CiscoPairs> pairs = ReadCiscoPairs(packet_);
    if (!pairs) {
      return Wrong("Cisco-AVPair: a rate-limit");
    }
    if (grants_.pool.empty()) {
      grants_.pool = std::move(pairs->pool);
    }
    if (!grants_.upstream_bps && !grants_.downstream_bps) {
      grants_.upstream_bps = pairs->upstream_bps;
      grants_.downstream_bps = pairs->downstream_bps;
    }
  }

  void ReadNameServers() {
    for (const auto& [id, to, name] :
         {std::tuple{attr::kMsPrimaryDns, &grants_.dns, "MS-Primary-DNS-Server"},
          std::tuple{attr::kMsSecondaryDns, &grants_.dns, "MS-Secondary-DNS-Server"},
          std::tuple{attr::kMsPrimaryNbns, &grants_.wins, "MS-Primary-NBNS-Server"},
          std::tuple{attr::kMsSecondaryNbns, &grants_.wins, "MS-Secondary-NBNS-Server"}}) {
      const auto address = Integer(id, name);
      if (address && *address != 0 && to->size() < kMaxDns) {
        to->push_back(*address);
      }
    }
  }

  std::optional<config::Ipv6Prefix> Prefix(AttributeId id, std::string_view name) {
    const Attribute* attribute = packet_.Find(id);
    if (attribute == nullptr) {
      return std::nullopt;
    }
    const auto value = Ipv6PrefixOf(attribute->value);
    if (!value) {
      Wrong(name);
      return std::nullopt;
    }
    return config::Ipv6Prefix{.address = value->address, .length = value->length};
  }

  void ReadIpv6() {
    Ipv6Grants& to = grants_.ipv6;
    to.prefix = Prefix(attr::kFramedIpv6Prefix, "Framed-IPv6-Prefix");
    to.delegated_prefix = Prefix(attr::kDelegatedIpv6Prefix, "Delegated-IPv6-Prefix");
    if (const Attribute* attribute = packet_.Find(attr::kFramedInterfaceId)) {
      if (attribute->value.size() != 8) {
        return Wrong("Framed-Interface-Id");
      }
      std::copy(attribute->value.begin(), attribute->value.end(),
                to.interface_id.emplace().begin());
    }
    if (const Attribute* attribute = packet_.Find(attr::kFramedIpv6Address)) {
      if (attribute->value.size() != 16) {
        return Wrong("Framed-IPv6-Address");
      }
      // A call has a /64: the address is that and the interface identifier.
      if (!to.prefix) {
        to.prefix.emplace().length = 64;
        std::copy_n(attribute->value.begin(), 8, to.prefix->address.begin());
        std::copy_n(attribute->value.begin() + 8, 8, to.interface_id.emplace().begin());
      }
    }
    to.pool = Text(attr::kFramedIpv6Pool);
    if (to.pool.empty()) {
      to.pool = Text(attr::kStatefulIpv6AddressPool);
    }
    to.delegated_pool = Text(attr::kDelegatedIpv6PrefixPool);
  }

  void ReadIpv6Lists() {
    for (const Attribute& attribute : packet_.attributes) {
      if (attribute.id == attr::kDnsServerIpv6Address) {
        if (attribute.value.size() != 16) {
          return Wrong("DNS-Server-IPv6-Address");
        }
        if (grants_.ipv6.dns.size() < kMaxDns6) {
          std::copy(attribute.value.begin(), attribute.value.end(),
                    grants_.ipv6.dns.emplace_back().begin());
        }
      } else if (attribute.id == attr::kFramedIpv6Route) {
        const std::string_view text = TextOf(attribute.value);
        const auto route = config::ParsePrefix6(text.substr(0, text.find(' ')));
        if (!route || route->length == 0 || grants_.ipv6.routes.size() >= kMaxRoutes) {
          return Wrong(fmt::format("Framed-IPv6-Route: {}", Printable(text)));
        }
        grants_.ipv6.routes.push_back(*route);
      }
    }
  }

  const Packet& packet_;
  CallGrants grants_;
  std::string wrong_;
};

uint8_t ClassLength(uint32_t address) {
  if ((address & 0x80000000) == 0) {
    return 8;
  }
  return (address & 0x40000000) == 0 ? 16 : 24;
}

}  // namespace

std::optional<config::Ipv4Prefix> ParseFramedRoute(std::string_view text) {
  const std::string_view destination = text.substr(0, text.find(' '));
  const size_t slash = destination.find('/');
  const std::optional<uint32_t> address = config::ParseIpv4(destination.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  config::Ipv4Prefix prefix{.address = *address, .length = ClassLength(*address)};
  if (slash != std::string_view::npos) {
    const std::string_view digits = destination.substr(slash + 1);
    if (digits.empty() || digits.size() > 2 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
    const int length = std::stoi(std::string(digits));
    // All there is cannot be behind one client: the data plane would refuse the whole call.
    if (length == 0 || length > 32) {
      return std::nullopt;
    }
    prefix.length = static_cast<uint8_t>(length);
  }
  prefix.address = prefix.First();
  return prefix;
}

tl::expected<CallGrants, std::string> ReadGrants(const Packet& accept) {
  return GrantReader(accept).Read();
}

}  // namespace culvert::radius
