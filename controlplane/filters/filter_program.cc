#include "controlplane/filters/filter_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controlplane/logging/printable.h"
#include "proto/config/filter/filter_rule.h"
#include "proto/config/filter/filter_size.h"

namespace culvert::filters {

namespace v1 = dataplane::v1;
using config::FilterRule;

namespace {

constexpr size_t kMaxShownLen = 255;  // of an error

void SetPrefix(const FilterRule::Prefix& from, v1::Prefix* to) {
  if (const auto* ipv4 = std::get_if<config::Ipv4Prefix>(&from)) {
    const uint32_t address = ipv4->address;
    const char octets[] = {static_cast<char>(address >> 24), static_cast<char>(address >> 16),
                           static_cast<char>(address >> 8), static_cast<char>(address)};
    to->set_address(octets, sizeof octets);
    to->set_length(ipv4->length);
    return;
  }
  const auto& ipv6 = std::get<config::Ipv6Prefix>(from);
  to->set_address(ipv6.address.data(), ipv6.address.size());
  to->set_length(ipv6.length);
}

void SetRange(const FilterRule::Range& from, v1::Range* to) {
  to->set_first(from.first);
  to->set_last(from.last);
}

// ForEach calls `make` with each item, or once with null when there is none: any will do.
template <typename Item, typename Make>
void ForEach(const std::vector<Item>& items, Make make) {
  if (items.empty()) {
    make(static_cast<const Item*>(nullptr));
  }
  for (const Item& item : items) {
    make(&item);
  }
}

// Add writes a rule out: one for each source port, destination port or type, and test of flags.
// They permit or deny the same, so their order does not matter.
void Add(const FilterRule& rule, v1::Filter* filter) {
  const auto& destinations = rule.icmp_types.empty() ? rule.destination.ports : rule.icmp_types;
  ForEach(rule.source.ports, [&](const FilterRule::Range* source) {
    ForEach(destinations, [&](const FilterRule::Range* destination) {
      ForEach(rule.flags, [&](const FilterRule::Flags* flags) {
        v1::FilterRule* to = filter->add_rules();
        to->set_permit(rule.permit);
        to->set_upstream(rule.in);
        to->set_protocol(rule.protocol);
        if (rule.source.address) SetPrefix(*rule.source.address, to->mutable_source());
        if (rule.destination.address) {
          SetPrefix(*rule.destination.address, to->mutable_destination());
        }
        if (source != nullptr) SetRange(*source, to->mutable_source_ports());
        if (destination != nullptr) SetRange(*destination, to->mutable_destination_ports());
        if (flags != nullptr) {
          to->set_tcp_flags_mask(flags->mask);
          to->set_tcp_flags(flags->flags);
        }
      });
    });
  });
}

// Shown: an error that names a word is long; so it is only cut when the word is not what it should.
std::string Shown(const std::string& error) {
  const bool plain =
      std::all_of(error.begin(), error.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return plain ? error.substr(0, kMaxShownLen) : Printable(error);
}

}  // namespace

tl::expected<v1::Filter, std::string> MakeProgram(std::span<const std::string> rules) {
  v1::Filter filter;
  filter.set_permit_upstream(true);
  filter.set_permit_downstream(true);
  config::FilterSize size;
  for (const std::string& text : rules) {
    const auto rule = config::ParseFilterRule(text);
    if (!rule) {
      return tl::unexpected(fmt::format("\"{}\": {}", Printable(text), Shown(rule.error())));
    }
    size.Add(*rule);
    if (std::string excess = size.Excess(); !excess.empty()) {
      return tl::unexpected(std::move(excess));
    }
    Add(*rule, &filter);
    if (rule->in) {
      filter.set_permit_upstream(!rule->permit);
    } else {
      filter.set_permit_downstream(!rule->permit);
    }
  }
  return filter;
}

std::vector<std::string> SplitRules(std::string_view text) {
  std::vector<std::string> rules;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    if (end != 0) {
      rules.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rules;
}

}  // namespace culvert::filters
