#include "controlplane/radius/dynamic/order.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "controlplane/radius/rate_limit.h"
#include "proto/config/address/address.h"

namespace culvert::radius {

namespace {

constexpr uint32_t kAuthorizeOnly = 17;  // Service-Type
constexpr char kPortPrefix[] = "pptp";   // of NasPortId()
constexpr size_t kPortPrefixLen = sizeof kPortPrefix - 1;

using Read = tl::expected<void, ErrorCause>;

Read Fail(ErrorCause cause) { return tl::unexpected(cause); }

// Once puts a value where none is yet: an attribute that may be there once came twice otherwise.
template <typename T, typename From>
Read Once(std::optional<T>& to, std::optional<From> value) {
  if (to) {
    return Fail(ErrorCause::kInvalidRequest);
  }
  if (!value) {
    return Fail(ErrorCause::kInvalidValue);
  }
  to = static_cast<T>(std::move(*value));
  return {};
}

// ReadStation: Calling- and Called-Station-Id of our calls are IPv4 addresses as text, or numbers.
Read ReadStation(Octets value, std::optional<uint32_t>& address,
                 std::optional<std::string>& number) {
  if (address || number) {
    return Fail(ErrorCause::kInvalidRequest);
  }
  address = config::ParseIpv4(TextOf(value));
  if (!address) {
    number = TextOf(value);
  }
  return {};
}

// ParseSessionId takes what FormatCallId() writes.
std::optional<uint64_t> ParseSessionId(std::string_view text) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  const bool whole = text.size() == 16 && end == text.data() + text.size() && text[0] != '-';
  return whole && error == std::errc() ? std::optional(id) : std::nullopt;
}

// NAS-Port and NAS-Port-Id name the same thing and may both be there.
Read SetPort(uint32_t port, SessionKey& session) {
  session.nobody |= session.nas_port && *session.nas_port != port;
  session.nas_port = port;
  return {};
}

Read ReadPort(Octets value, SessionKey& session) {
  const std::optional<uint32_t> port = IntegerOf(value);
  return port ? SetPort(*port, session) : Fail(ErrorCause::kInvalidValue);
}

// ReadPortId: NAS-Port-Id is NAS-Port as a text of ours.
Read ReadPortId(Octets value, SessionKey& session) {
  const std::string_view text = TextOf(value);
  uint32_t port = 0;
  std::from_chars(text.data() + std::min<size_t>(text.size(), kPortPrefixLen),
                  text.data() + text.size(), port);
  session.nobody |= absl::StrCat(kPortPrefix, port) != text;
  return SetPort(port, session);
}

// ReadSessionId: Acct-Session-Id and Acct-Multi-Session-Id are the same and may both be there.
Read ReadSessionId(Octets value, SessionKey& session) {
  const std::optional<uint64_t> id = ParseSessionId(TextOf(value));
  session.nobody |= !id || (session.id && *session.id != *id);
  session.id = id.value_or(0);
  return {};
}

Read ReadInterfaceId(Octets value, SessionKey& session) {
  constexpr size_t kLen = 8;
  if (value.size() != kLen) {
    return Fail(ErrorCause::kInvalidValue);
  }
  uint64_t id = 0;
  for (const uint8_t octet : value) {
    id = id << 8 | octet;
  }
  session.nobody |= id == 0;
  return Once(session.interface_id, std::optional(id));
}

Read ReadPrefix(Octets value, std::optional<config::Ipv6Prefix>& to) {
  const std::optional<Ipv6PrefixValue> prefix = Ipv6PrefixOf(value);
  if (!prefix) {
    return Fail(ErrorCause::kInvalidValue);
  }
  return Once(to, std::optional(config::Ipv6Prefix{prefix->address, prefix->length}));
}

std::optional<Read> ReadIpv6Session(const Attribute& attribute, SessionKey& session) {
  if (attribute.id == attr::kFramedInterfaceId) {
    return ReadInterfaceId(attribute.value, session);
  }
  if (attribute.id == attr::kFramedIpv6Prefix) {
    return ReadPrefix(attribute.value, session.prefix);
  }
  if (attribute.id == attr::kDelegatedIpv6Prefix) {
    return ReadPrefix(attribute.value, session.delegated_prefix);
  }
  return std::nullopt;
}

// ReadSession: nullopt: the attribute does not name a session.
std::optional<Read> ReadSession(const Attribute& attribute, SessionKey& session) {
  if (attribute.id == attr::kUserName) {
    return Once(session.user, std::optional(TextOf(attribute.value)));
  }
  if (attribute.id == attr::kNasPort) {
    return ReadPort(attribute.value, session);
  }
  if (attribute.id == attr::kNasPortId) {
    return ReadPortId(attribute.value, session);
  }
  if (attribute.id == attr::kFramedIpAddress) {
    return Once(session.client_address, IntegerOf(attribute.value));
  }
  if (attribute.id == attr::kCallingStationId) {
    return ReadStation(attribute.value, session.peer_address, session.calling_number);
  }
  if (attribute.id == attr::kCalledStationId) {
    return ReadStation(attribute.value, session.local_address, session.called_number);
  }
  if (attribute.id == attr::kAcctSessionId || attribute.id == attr::kAcctMultiSessionId) {
    return ReadSessionId(attribute.value, session);
  }
  if (attribute.id == attr::kChargeableUserIdentity) {
    return Once(session.chargeable_identity, std::optional(TextOf(attribute.value)));
  }
  return ReadIpv6Session(attribute, session);
}

// IsForUs: the request may name the NAS that it is for in three ways.
bool IsForUs(const Packet& packet, const NasIdentity& nas) {
  return std::all_of(
      packet.attributes.begin(), packet.attributes.end(), [&](const Attribute& attribute) {
        if (attribute.id == attr::kNasIdentifier) {
          return TextOf(attribute.value) == nas.identifier;
        }
        if (attribute.id == attr::kNasIpAddress) {
          return !nas.ipv4 || IntegerOf(attribute.value) == nas.ipv4;
        }
        if (attribute.id == attr::kNasIpv6Address) {
          return !nas.ipv6 || std::equal(attribute.value.begin(), attribute.value.end(),
                                         nas.ipv6->begin(), nas.ipv6->end());
        }
        return true;
      });
}

// IsAside: of the protocol, not of the session.
bool IsAside(AttributeId id) {
  return id == attr::kNasIdentifier || id == attr::kNasIpAddress || id == attr::kNasIpv6Address ||
         id == attr::kMessageAuthenticator || id == attr::kEventTimestamp ||
         id == attr::kProxyState;
}

Read CheckServiceType(const Packet& packet, Octets value) {
  const std::optional<uint32_t> type = IntegerOf(value);
  if (type == kServiceTypeFramed) {
    return {};
  }
  if (type == kAuthorizeOnly && packet.Find(attr::kState) == nullptr) {
    return Fail(ErrorCause::kMissingAttribute);  // RFC 5176 s3.2
  }
  return Fail(ErrorCause::kUnsupportedService);
}

Read ReadClass(Octets value, CallChange& change) {
  if (!change.classes) {
    change.classes.emplace();
  }
  change.classes->emplace_back(value.begin(), value.end());
  return {};
}

Read ReadRateLimit(Octets value, CallChange& change) {
  const std::optional<RateLimit> limit = ParseRateLimit(TextOf(value));
  if (!limit) {
    return Fail(ErrorCause::kInvalidValue);
  }
  if (Read read = Once(change.upstream_bps, std::optional(limit->upstream_bps)); !read) {
    return read;
  }
  return Once(change.downstream_bps, std::optional(limit->downstream_bps));
}

Read ReadChange(const Packet& packet, const Attribute& attribute, CallChange& change) {
  const Octets value = attribute.value;
  const AttributeId id = attribute.id;
  if (id == attr::kServiceType) {
    return CheckServiceType(packet, value);
  }
  if (id == attr::kFramedProtocol) {
    return IntegerOf(value) == kFramedProtocolPpp ? Read() : Fail(ErrorCause::kInvalidValue);
  }
  if (id == attr::kState) {
    return {};  // goes back in the answer
  }
  if (id == attr::kClass) {
    return ReadClass(value, change);
  }
  if (id == attr::kFilterId) {
    return Once(change.filter_id, std::optional(TextOf(value)));
  }
  if (id == attr::kNasFilterRule) {  // RFC 4849 s2: several are put together
    change.filter_rules = change.filter_rules.value_or("") + std::string(TextOf(value));
    return {};
  }
  if (id == attr::kSessionTimeout) {
    return Once(change.session_timeout_s, IntegerOf(value));
  }
  if (id == attr::kIdleTimeout) {
    return Once(change.idle_timeout_s, IntegerOf(value));
  }
  if (id == attr::kAcctInterimInterval) {
    return Once(change.interim_interval_s, IntegerOf(value));
  }
  if (id == attr::kWisprBandwidthMaxUp) {
    return Once(change.upstream_bps, IntegerOf(value));
  }
  if (id == attr::kWisprBandwidthMaxDown) {
    return Once(change.downstream_bps, IntegerOf(value));
  }
  if (id == attr::kMikrotikRateLimit) {
    return ReadRateLimit(value, change);
  }
  if (id == attr::kMikrotikAddressList) {
    change.address_lists = packet.JoinTexts(attr::kMikrotikAddressList, ',');
    return {};
  }
  if (id == attr::kMikrotikTotalLimit || id == attr::kMikrotikTotalLimitGigawords) {
    return IntegerOf(value) ? Read() : Fail(ErrorCause::kInvalidValue);  // ReadTotalLimit()
  }
  if (id == attr::kSessionOctetsLimit) {
    return Once(change.octet_quota, IntegerOf(value));
  }
  return Fail(ErrorCause::kUnsupportedAttribute);
}

// ReadTotalLimit: two attributes, checked before, make one number.
Read ReadTotalLimit(const Packet& packet, CallChange& change) {
  const Attribute* const low = packet.Find(attr::kMikrotikTotalLimit);
  const Attribute* const high = packet.Find(attr::kMikrotikTotalLimitGigawords);
  if (low == nullptr && high == nullptr) {
    return {};
  }
  if (packet.Count(attr::kMikrotikTotalLimit) > 1 ||
      packet.Count(attr::kMikrotikTotalLimitGigawords) > 1) {
    return Fail(ErrorCause::kInvalidRequest);
  }
  const auto value = [](const Attribute* half) -> uint64_t {
    return half == nullptr ? 0 : IntegerOf(half->value).value_or(0);
  };
  return Once(change.octet_quota, std::optional(value(high) << 32 | value(low)));
}

Read ReadAttribute(const Packet& packet, const Attribute& attribute, Order& order) {
  if (IsAside(attribute.id)) {
    return {};
  }
  if (std::optional<Read> read = ReadSession(attribute, order.session)) {
    order.session.empty &= attribute.id == attr::kCalledStationId;
    return *read;
  }
  if (order.disconnect) {
    return Fail(ErrorCause::kUnsupportedAttribute);
  }
  return ReadChange(packet, attribute, order.change);
}

}  // namespace

std::string_view ErrorCauseName(ErrorCause cause) {
  switch (cause) {
    case ErrorCause::kUnsupportedAttribute:
      return "unsupported-attribute";
    case ErrorCause::kMissingAttribute:
      return "missing-attribute";
    case ErrorCause::kNasMismatch:
      return "nas-mismatch";
    case ErrorCause::kInvalidRequest:
      return "invalid-request";
    case ErrorCause::kUnsupportedService:
      return "unsupported-service";
    case ErrorCause::kInvalidValue:
      return "invalid-value";
    case ErrorCause::kProhibited:
      return "prohibited";
    case ErrorCause::kSessionNotFound:
      return "session-not-found";
    case ErrorCause::kSessionNotRemovable:
      return "session-not-removable";
    case ErrorCause::kResourcesUnavailable:
      return "resources-unavailable";
    case ErrorCause::kSeveralSessions:
      return "several-sessions";
  }
  return "other";
}

tl::expected<Order, ErrorCause> ReadOrder(const Packet& packet, const NasIdentity& nas) {
  if (!IsForUs(packet, nas)) {
    return tl::unexpected(ErrorCause::kNasMismatch);
  }
  Order order{.disconnect = packet.code == Code::kDisconnectRequest, .session = {}, .change = {}};
  for (const Attribute& attribute : packet.attributes) {
    if (Read read = ReadAttribute(packet, attribute, order); !read) {
      return tl::unexpected(read.error());
    }
  }
  if (Read read = ReadTotalLimit(packet, order.change); !read) {
    return tl::unexpected(read.error());
  }
  if (order.session.empty) {
    return tl::unexpected(ErrorCause::kMissingAttribute);
  }
  if (!Check(order.change).ok()) {
    return tl::unexpected(ErrorCause::kInvalidValue);
  }
  return order;
}

}  // namespace culvert::radius
