#include "proto/config/address/client_prefix.h"

#include "proto/config/address/address.h"

namespace culvert::config {

namespace {

Ipv6Prefix Mapped(const Ipv4Prefix& prefix) {
  Ipv6Prefix mapped;
  mapped.address[10] = mapped.address[11] = 0xff;
  for (size_t i = 0; i < 4; ++i) {
    mapped.address[12 + i] = static_cast<uint8_t>(prefix.address >> (24 - 8 * i));
  }
  mapped.length = static_cast<uint8_t>(96 + prefix.length);
  return mapped;
}

}  // namespace

std::optional<Ipv6Prefix> ParseClientPrefix(std::string_view text) {
  if (const auto address = ParseIpv4(text)) {
    return Mapped({.address = *address, .length = 32});
  }
  if (const auto prefix = ParsePrefix(text)) {
    return Mapped(*prefix);
  }
  if (const auto address = ParseIpv6(text)) {
    return Ipv6Prefix{.address = *address, .length = 128};
  }
  return ParsePrefix6(text);
}

}  // namespace culvert::config
