#include "proto/config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert::config {
namespace {

bool IsName(std::string_view text) {
  constexpr std::string_view kAlnum =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const std::string allowed = std::string(kAlnum) + "-_.";
  return !text.empty() && kAlnum.find(text[0]) != std::string_view::npos &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

bool HasForm(std::string_view value, v1::Kind kind) {
  switch (kind) {
    case v1::KIND_IPV4:
      return ParseIpv4(value).has_value();
    case v1::KIND_IPV4_PREFIX:
      return ParsePrefix(value).has_value();
    case v1::KIND_IPV4_INTERFACE:
      return ParseInterface(value).has_value();
    case v1::KIND_IPV4_RANGE:
      return ParseRange(value).has_value();
    case v1::KIND_ENDPOINT:
      return ParseEndpoint(value).has_value();
    case v1::KIND_NAME:
      return IsName(value);
    case v1::KIND_PATH:
      return value.size() > 1 && value[0] == '/';
    case v1::KIND_MAC:
      return ParseMac(value).has_value();
    case v1::KIND_IPV6:
      return ParseIpv6(value).has_value();
    case v1::KIND_IPV6_PREFIX:
      return ParsePrefix6(value).has_value();
    case v1::KIND_ANY_PREFIX:
      return ParsePrefix(value).has_value() || ParsePrefix6(value).has_value();
    case v1::KIND_ANY_INTERFACE:
      return ParseInterface(value).has_value() || ParseInterface6(value).has_value();
    case v1::KIND_ADDRESS:
      return ParseIpv4(value).has_value() || ParseIpv6(value).has_value();
    default:
      return true;
  }
}

std::string_view FormText(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_IPV4:
      return "an IPv4 address such as 192.0.2.1";
    case v1::KIND_IPV4_PREFIX:
      return "an IPv4 prefix with no host bits set, such as 192.0.2.0/24";
    case v1::KIND_IPV4_INTERFACE:
      return "an IPv4 address with its prefix length, such as 192.0.2.1/24";
    case v1::KIND_IPV4_RANGE:
      return "a range such as 192.0.2.10-192.0.2.99, lowest first, or a prefix such as "
             "192.0.2.0/24";
    case v1::KIND_ENDPOINT:
      return "an IPv4 address and a port from 1 to 65535, such as 192.0.2.1:1723";
    case v1::KIND_NAME:
      return "a name of letters, digits, '-', '_' and '.', that starts with a letter or digit";
    case v1::KIND_PATH:
      return "an absolute path";
    case v1::KIND_MAC:
      return "a unicast MAC address such as 02:00:00:00:00:01";
    case v1::KIND_IPV6:
      return "an IPv6 address such as 2001:db8::1";
    case v1::KIND_IPV6_PREFIX:
      return "an IPv6 prefix with no host bits set, such as 2001:db8::/32";
    case v1::KIND_ANY_PREFIX:
      return "a prefix with no host bits set, such as 192.0.2.0/24 or 2001:db8::/32";
    case v1::KIND_ANY_INTERFACE:
      return "an address with its prefix length, such as 192.0.2.1/24 or 2001:db8::1/64";
    case v1::KIND_ADDRESS:
      return "an IP address such as 192.0.2.1 or 2001:db8::1";
    default:
      return "text";
  }
}

// Quote makes a value safe and short enough to stand in one line of an error.
std::string Quote(std::string_view value) {
  constexpr size_t kShown = 60;
  std::string text = "\"";
  for (const char c : value.substr(0, kShown)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      text += fmt::format("\\x{:02x}", octet);
    } else {
      text += c;
    }
  }
  return text + (value.size() > kShown ? "...\"" : "\"");
}

std::string Shown(std::string_view value, const v1::Limits& limits) {
  return limits.secret() ? "the value" : Quote(value);
}

bool HasControlCharacter(std::string_view value) {
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

}  // namespace

std::string CheckString(std::string_view value, const v1::Limits& limits) {
  if (value.empty()) {
    if (limits.required()) return fmt::format("must not be empty: {}", FormText(limits.kind()));
    // Empty is "not set", except where a choice has to be made.
    if (limits.one_of().empty()) return "";
  }
  if (!limits.one_of().empty()) {
    if (std::find(limits.one_of().begin(), limits.one_of().end(), value) != limits.one_of().end()) {
      return "";
    }
    return fmt::format("{} is not one of: {}", Quote(value), fmt::join(limits.one_of(), ", "));
  }
  if (HasControlCharacter(value)) {
    return fmt::format("{} holds a control character: use printable text", Shown(value, limits));
  }
  if (limits.max_len() != 0 && value.size() > limits.max_len()) {
    return fmt::format("{} is {} octets long; at most {} are allowed", Shown(value, limits),
                       value.size(), limits.max_len());
  }
  if (!HasForm(value, limits.kind())) {
    return fmt::format("{} is not {}", Quote(value), FormText(limits.kind()));
  }
  return "";
}

std::string CheckInteger(int64_t value, const v1::Limits& limits) {
  const int64_t min = limits.has_min() ? limits.min() : 0;
  const int64_t max = limits.has_max() ? limits.max() : std::numeric_limits<uint32_t>::max();
  if (min <= value && value <= max) return "";
  return fmt::format("{} is out of range: {} to {} are allowed", value, min, max);
}

}  // namespace culvert::config
