#include "proto/config/address/address6.h"

#include <arpa/inet.h>

#include <charconv>

namespace culvert::config {
namespace {

std::optional<Ipv6Prefix> ParseWithLength(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<Ipv6Address> address = ParseIpv6(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (!address || digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      length > 128 || (digits.size() > 1 && digits[0] == '0')) {
    return std::nullopt;
  }
  return Ipv6Prefix{.address = *address, .length = static_cast<uint8_t>(length)};
}

}  // namespace

bool Ipv6Prefix::Contains(const Ipv6Address& other) const {
  for (unsigned bit = 0; bit < length; bit += 8) {
    const unsigned left = length - bit;
    const auto mask = static_cast<uint8_t>(left >= 8 ? 0xff : 0xff << (8 - left));
    if (((address[bit / 8] ^ other[bit / 8]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

std::optional<Ipv6Address> ParseIpv6(std::string_view text) {
  Ipv6Address address{};
  if (text.find('\0') != std::string_view::npos ||
      inet_pton(AF_INET6, std::string(text).c_str(), address.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::optional<Ipv6Prefix> ParseInterface6(std::string_view text) {
  const std::optional<Ipv6Prefix> parsed = ParseWithLength(text);
  return parsed && parsed->length > 0 ? parsed : std::nullopt;
}

std::optional<Ipv6Prefix> ParsePrefix6(std::string_view text) {
  const std::optional<Ipv6Prefix> parsed = ParseWithLength(text);
  for (unsigned bit = parsed ? parsed->length : 128; bit < 128; ++bit) {
    if ((parsed->address[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      return std::nullopt;
    }
  }
  return parsed;
}

std::string FormatIpv6(const Ipv6Address& address) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return text;
}

std::string FormatPrefix6(const Ipv6Prefix& prefix) {
  return FormatIpv6(prefix.address) + "/" + std::to_string(prefix.length);
}

}  // namespace culvert::config
