#include "dataplane/call/spec_prefixes.h"

#include <absl/strings/str_cat.h>

#include "dataplane/forwarding/fib6.h"
#include "proto/wire/byte_order.h"
#include "proto/wire/ip/ip6.h"

namespace culvert::dataplane {
namespace {

constexpr size_t kMaxRoutes = 32;  // walked for each packet that is not from or to the address

absl::Status Invalid(absl::string_view field, absl::string_view value, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", value, ": must be ", allowed));
}

CallPrefixes::Ipv4 Ipv4Of(const PrefixSpec& prefix) {
  return {wire::LoadBe32(prefix.address.data()), UINT32_MAX << (32 - prefix.len)};
}

CallPrefixes::Ipv6 Ipv6Of(const PrefixSpec& prefix) {
  return {NumberOf(prefix.address.data()), ~Ipv6Number{0} << (128 - prefix.len)};
}

absl::Status CheckPrefix(const std::string& field, const PrefixSpec& prefix) {
  if (prefix.len < 1 || prefix.len > (prefix.is_ipv6 ? 128 : 32)) {
    return Invalid(field + ".len", absl::StrCat(prefix.len),
                   prefix.is_ipv6 ? "1 to 128" : "1 to 32");
  }
  bool clean = false;
  if (prefix.is_ipv6) {
    const CallPrefixes::Ipv6 ipv6 = Ipv6Of(prefix);
    clean = (ipv6.prefix & ~ipv6.mask) == 0;
    if (wire::ip6::IsMulticast(prefix.address) || wire::ip6::IsLinkLocal(prefix.address) ||
        absl::Uint128High64(ipv6.prefix) == 0) {
      return Invalid(field + ".address", "special", "a global unicast network");
    }
  } else {
    const CallPrefixes::Ipv4 ipv4 = Ipv4Of(prefix);
    clean = (ipv4.prefix & ~ipv4.mask) == 0;
  }
  return clean ? absl::OkStatus() : Invalid(field + ".address", "host bits", "zero in them");
}

}  // namespace

absl::Status CheckPrefixes(const CallSpec& spec) {
  if (spec.routes.size() > kMaxRoutes) {
    return Invalid("routes", absl::StrCat(spec.routes.size()), "at most 32 of them");
  }
  for (size_t i = 0; i < spec.routes.size(); ++i) {
    const std::string field = absl::StrCat("routes[", i, "]");
    if (spec.routes[i].is_ipv6 && !spec.ipv6.enabled) {
      return Invalid(field, "IPv6", "IPv4 in a call without ipv6");
    }
    if (absl::Status status = CheckPrefix(field, spec.routes[i]); !status.ok()) {
      return status;
    }
  }
  if (!spec.ipv6.enabled) {
    return absl::OkStatus();
  }
  if (spec.ipv6.interface_id == 0) {
    return Invalid("ipv6.interface_id", "0", "not 0 (RFC 5072 s4.1)");
  }
  PrefixSpec prefix = spec.ipv6.prefix;
  prefix.is_ipv6 = true;
  return prefix.len == 0 ? absl::OkStatus() : CheckPrefix("ipv6.prefix", prefix);
}

std::unique_ptr<const CallPrefixes> PrefixesOf(const CallSpec& spec) {
  if (spec.routes.empty() && !spec.ipv6.enabled) {
    return nullptr;
  }
  auto prefixes = std::make_unique<CallPrefixes>();
  if (spec.ipv6.enabled) {
    prefixes->has_ipv6 = true;
    prefixes->interface_id = spec.ipv6.interface_id;
    if (spec.ipv6.prefix.len != 0) {
      prefixes->ipv6.push_back(Ipv6Of(spec.ipv6.prefix));
    }
    if (spec.ipv6.prefix.len == 64) {
      prefixes->ipv6_client = prefixes->ipv6.front().prefix;
    }
  }
  for (const PrefixSpec& route : spec.routes) {
    if (route.is_ipv6) {
      prefixes->ipv6.push_back(Ipv6Of(route));
    } else {
      prefixes->ipv4.push_back(Ipv4Of(route));
    }
  }
  return prefixes;
}

}  // namespace culvert::dataplane
