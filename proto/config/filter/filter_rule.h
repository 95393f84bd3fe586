// FilterRule: an IPFilterRule of RFC 6733 s4.3.1, as the configuration and NAS-Filter-Rule (RFC
// 4849) write it:
//   permit|deny in|out PROTOCOL from ADDRESS [PORTS] to ADDRESS [PORTS] [OPTIONS]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"

namespace culvert::config {

struct FilterRule {
  struct Range {
    uint16_t first = 0, last = 0;  // inclusive
  };
  // A test of the flags octet of TCP: those in `mask` are as in `flags`.
  struct Flags {
    uint8_t mask = 0, flags = 0;
  };
  using Prefix = std::variant<Ipv4Prefix, Ipv6Prefix>;
  struct End {
    std::optional<Prefix> address = {};  // absent: any
    std::vector<Range> ports = {};       // one of them; empty: any
  };

  bool permit = false;
  bool in = false;       // what the client sends
  uint8_t protocol = 0;  // of IP; 0: any
  End source, destination;
  std::vector<Range> icmp_types = {};  // one of them; empty: any
  std::vector<Flags> flags = {};       // one of them; empty: any
};

// ParseFilterRule: the error names the word that is wrong and what is allowed there. `assigned`,
// the client's own addresses, is where only they can be: a client sends from no other, and is sent
// nothing for others. Not supported: "!" before an address, and the options frag, ipoptions and
// tcpoptions.
[[nodiscard]] tl::expected<FilterRule, std::string> ParseFilterRule(std::string_view text);

}  // namespace culvert::config
