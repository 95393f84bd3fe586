#include "proto/config/filter/filter_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "proto/config/filter/word_reader.h"

namespace culvert::config {
namespace {

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58, kSctp = 132;

struct Name {
  std::string_view name;
  uint8_t value;
};
constexpr Name kProtocols[] = {{"ip", 0},
                               {"icmp", kIcmp},
                               {"igmp", 2},
                               {"ipip", 4},
                               {"tcp", kTcp},
                               {"udp", kUdp},
                               {"ipv6", 41},
                               {"rsvp", 46},
                               {"gre", 47},
                               {"esp", 50},
                               {"ah", 51},
                               {"icmpv6", kIcmpv6},
                               {"ipv6-icmp", kIcmpv6},
                               {"ospf", 89},
                               {"pim", 103},
                               {"vrrp", 112},
                               {"l2tp", 115},
                               {"sctp", kSctp},
                               {"udplite", 136}};
constexpr Name kTcpFlags[] = {{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04},
                              {"psh", 0x08}, {"ack", 0x10}, {"urg", 0x20}};
constexpr uint8_t kSyn = 0x02, kRst = 0x04, kAck = 0x10;

template <size_t n>
std::optional<uint8_t> Find(const Name (&names)[n], std::string_view word) {
  const auto* found = std::find_if(std::begin(names), std::end(names),
                                   [&](const Name& name) { return name.name == word; });
  return found == std::end(names) ? std::nullopt : std::optional(found->value);
}

std::optional<uint16_t> Number(std::string_view text, uint16_t max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value <= max ? std::optional(static_cast<uint16_t>(value)) : std::nullopt;
}

// ParseRanges: "80,443,1000-2000".
std::optional<std::vector<FilterRule::Range>> ParseRanges(std::string_view text, uint16_t max) {
  std::vector<FilterRule::Range> ranges;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const size_t dash = item.find('-');
    const auto first = Number(item.substr(0, dash), max);
    const auto last = dash == std::string_view::npos ? first : Number(item.substr(dash + 1), max);
    if (!first || !last || *first > *last) {
      return std::nullopt;
    }
    ranges.push_back({*first, *last});
    if (comma == std::string_view::npos) {
      return ranges;
    }
    text.remove_prefix(comma + 1);
  }
}

// RuleReader reads word after word; the first error is kept.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : words_(text) {}

  tl::expected<FilterRule, std::string> Read() {
    const std::string_view action = words_.Next();
    Require(action == "permit" || action == "deny", action, "permit or deny");
    rule_.permit = action == "permit";
    const std::string_view direction = words_.Next();
    Require(direction == "in" || direction == "out", direction,
            "in (what the client sends) or out (what it is sent)");
    rule_.in = direction == "in";
    ReadProtocol();
    Keyword("from");
    ReadEnd(rule_.in, &rule_.source);
    Keyword("to");
    ReadEnd(!rule_.in, &rule_.destination);
    CheckFamilies();
    while (error_.empty() && !words_.Peek().empty()) {
      ReadOption();
    }
    if (!error_.empty()) {
      return tl::unexpected(std::move(error_));
    }
    return std::move(rule_);
  }

 private:
  void Require(bool holds, std::string_view word, std::string_view allowed) {
    if (!holds && error_.empty()) {
      error_ = word.empty() ? fmt::format("ends too early: {} is missing", allowed)
                            : fmt::format("\"{}\" must be {}", word, allowed);
    }
  }
  void Keyword(std::string_view keyword) {
    const std::string_view word = words_.Next();
    Require(word == keyword, word, fmt::format("the word {}", keyword));
  }
  void ReadProtocol() {
    const std::string_view word = words_.Next();
    const auto named = Find(kProtocols, word);
    const auto number = Number(word, 255);
    Require(named || number, word,
            "a protocol: ip (any), tcp, udp, icmp, icmpv6, sctp, gre, esp, ah, or a number from 0 "
            "to 255");
    rule_.protocol = named ? *named : static_cast<uint8_t>(number.value_or(0));
  }
  // ReadEnd: `own`: the client's end of the rule.
  void ReadEnd(bool own, FilterRule::End* end) {
    const std::string_view word = words_.Next();
    Require(!word.starts_with('!'), word, "an address without \"!\", which is not supported");
    if (word == "assigned") {
      Require(own, word,
              "any or an address: only the source of in and the destination of out are "
              "the client's");
    } else if (word != "any") {
      ReadAddress(word, end);
    }
    const std::string_view next = words_.Peek();
    if (error_.empty() && !next.empty() && next.front() >= '0' && next.front() <= '9') {
      ReadPorts(end);
    }
  }
  void ReadAddress(std::string_view word, FilterRule::End* end) {
    if (const auto address = ParseIpv4(word)) {
      end->address = Ipv4Prefix{.address = *address, .length = 32};
    } else if (const auto prefix = ParsePrefix(word)) {
      end->address = *prefix;
    } else if (const auto address6 = ParseIpv6(word)) {
      end->address = Ipv6Prefix{.address = *address6, .length = 128};
    } else if (const auto prefix6 = ParsePrefix6(word)) {
      end->address = *prefix6;
    }
    Require(end->address.has_value(), word,
            "any, assigned, an IPv4 or IPv6 address, or a prefix without bits behind its length");
  }
  void ReadPorts(FilterRule::End* end) {
    const std::string_view word = words_.Next();
    const bool has_ports =
        rule_.protocol == kTcp || rule_.protocol == kUdp || rule_.protocol == kSctp;
    Require(has_ports, word, "left out: only tcp, udp and sctp have ports");
    auto ports = ParseRanges(word, 65535);
    Require(ports.has_value(), word, "ports such as 80,443,1000-2000");
    end->ports = std::move(ports).value_or(std::vector<FilterRule::Range>());
  }
  void CheckFamilies() {
    const auto& source = rule_.source.address;
    const auto& destination = rule_.destination.address;
    if (source && destination && source->index() != destination->index() && error_.empty()) {
      error_ = "one address is IPv4 and the other IPv6";
    }
  }
  void ReadOption() {
    const std::string_view word = words_.Next();
    if (word == "setup") {
      SetFlags(word, {{kSyn | kAck, kSyn}});
    } else if (word == "established") {
      SetFlags(word, {{kAck, kAck}, {kRst, kRst}});
    } else if (word == "tcpflags") {
      ReadFlags();
    } else if (word == "icmptypes") {
      ReadIcmpTypes();
    } else {
      const bool known = word == "frag" || word == "ipoptions" || word == "tcpoptions";
      Require(false, word,
              known ? "left out: it is not supported"
                    : "an option: setup, established, tcpflags or icmptypes");
    }
  }
  void SetFlags(std::string_view word, std::vector<FilterRule::Flags> flags) {
    Require(rule_.protocol == kTcp, word, "left out: it is for tcp only");
    Require(rule_.flags.empty(), word,
            "left out: the rule has one of setup, established and "
            "tcpflags already");
    rule_.flags = std::move(flags);
  }
  // ReadFlags: "syn,!ack".
  void ReadFlags() {
    const std::string_view word = words_.Next();
    FilterRule::Flags flags;
    for (std::string_view rest = word; error_.empty();) {
      const size_t comma = rest.find(',');
      std::string_view name = rest.substr(0, comma);
      const bool absent = name.starts_with('!');
      name.remove_prefix(absent ? 1 : 0);
      const auto bit = Find(kTcpFlags, name);
      Require(bit && (flags.mask & *bit) == 0, word,
              "a list of fin, syn, rst, psh, ack and urg, with ! for those that are not set");
      flags.mask |= bit.value_or(0);
      flags.flags |= absent ? 0 : bit.value_or(0);
      if (comma == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(comma + 1);
    }
    SetFlags("tcpflags", {flags});
  }
  void ReadIcmpTypes() {
    Require(rule_.protocol == kIcmp || rule_.protocol == kIcmpv6, "icmptypes",
            "left out: it is for icmp and icmpv6 only");
    const std::string_view word = words_.Next();
    auto types = ParseRanges(word, 255);
    Require(types.has_value(), word, "ICMP types such as 0,8,11-12");
    rule_.icmp_types = std::move(types).value_or(std::vector<FilterRule::Range>());
  }

  WordReader words_;
  FilterRule rule_;
  std::string error_;
};

}  // namespace

tl::expected<FilterRule, std::string> ParseFilterRule(std::string_view text) {
  return RuleReader(text).Read();
}

}  // namespace culvert::config
