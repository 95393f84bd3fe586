#include "proto/config/address/address.h"

#include <fmt/format.h>

#include <charconv>

namespace culvert::config {
namespace {

// ParseNumber takes decimal digits without sign or leading zero, up to `max`.
std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t max) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

// ParseSlash takes ADDRESS/LENGTH with whatever host bits.
std::optional<Ipv4Prefix> ParseSlash(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = ParseIpv4(text.substr(0, slash));
  const auto length = ParseNumber(text.substr(slash + 1), 32);
  if (!address || !length) return std::nullopt;
  return Ipv4Prefix{*address, static_cast<uint8_t>(*length)};
}

std::optional<uint8_t> ParseHexPair(std::string_view text) {
  uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || text.size() != 2 || end != text.data() + 2) return std::nullopt;
  return value;
}

}  // namespace

std::optional<uint32_t> ParseIpv4(std::string_view text) {
  uint32_t address = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto octet = ParseNumber(text.substr(0, dot), 255);
    if (!octet) return std::nullopt;
    address = address << 8 | *octet;
    text.remove_prefix(i < 3 ? dot + 1 : dot);
  }
  return address;
}

std::optional<Ipv4Prefix> ParsePrefix(std::string_view text) {
  const auto prefix = ParseSlash(text);
  if (!prefix || prefix->First() != prefix->address) return std::nullopt;
  return prefix;
}

std::optional<Ipv4Prefix> ParseInterface(std::string_view text) {
  const auto prefix = ParseSlash(text);
  if (!prefix || prefix->length == 0 || prefix->address == 0) return std::nullopt;
  return prefix;
}

std::optional<Ipv4Range> ParseRange(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    const auto prefix = ParsePrefix(text);
    if (!prefix) return std::nullopt;
    return Ipv4Range{prefix->First(), prefix->Last()};
  }
  const auto first = ParseIpv4(text.substr(0, dash));
  const auto last = ParseIpv4(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return Ipv4Range{*first, *last};
}

std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto address = ParseIpv4(text.substr(0, colon));
  const auto port = ParseNumber(text.substr(colon + 1), 65535);
  if (!address || !port || *port == 0) return std::nullopt;
  return Endpoint{*address, static_cast<uint16_t>(*port)};
}

std::optional<MacAddress> ParseMac(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress mac{};
  bool all_zero = true;
  for (size_t i = 0; i < mac.size(); ++i) {
    const auto octet = ParseHexPair(text.substr(3 * i, 2));
    if (!octet || (i > 0 && text[3 * i - 1] != ':')) return std::nullopt;
    mac[i] = *octet;
    all_zero = all_zero && *octet == 0;
  }
  // A port's own address: group addresses (lowest bit of the first octet) are for receivers.
  if (all_zero || (mac[0] & 1) != 0) return std::nullopt;
  return mac;
}

std::string FormatIpv4(uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff,
                     address & 0xff);
}

std::string FormatPrefix(const Ipv4Prefix& prefix) {
  return fmt::format("{}/{}", FormatIpv4(prefix.address), prefix.length);
}

std::string FormatEndpoint(const Endpoint& endpoint) {
  return fmt::format("{}:{}", FormatIpv4(endpoint.address), endpoint.port);
}

}  // namespace culvert::config
