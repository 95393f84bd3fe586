#include "dataplane/filter/acl_rule.h"

#include <algorithm>

#include "dataplane/filter/filter_key.h"
#include "proto/wire/byte_order.h"

namespace culvert::dataplane {
namespace {

enum : uint8_t { kProtocol, kSourcePorts, kDestinationPorts, kFacts, kAddresses };

constexpr unsigned WordsOf(bool ipv6) { return ipv6 ? 4 : 1; }

// FillAddress takes `words` fields of four octets each; an absent prefix matches all.
void FillAddress(const std::optional<PrefixSpec>& prefix, unsigned words, rte_acl_field* fields) {
  for (unsigned i = 0; i < words; ++i) {
    fields[i] = {};
    if (prefix) {
      fields[i].value.u32 = wire::LoadBe32(&prefix->address[size_t{4} * i]);
      fields[i].mask_range.u32 =
          static_cast<uint32_t>(std::clamp(prefix->len - 32 * static_cast<int>(i), 0, 32));
    }
  }
}

void FillPorts(const std::optional<PortRange>& range, rte_acl_field* field) {
  const PortRange ports = range.value_or(PortRange{});
  field->value.u16 = ports.first;
  field->mask_range.u16 = ports.last;
}

// KnownOf is what a packet must tell before the rule can match it.
uint8_t KnownOf(const FilterRuleSpec& rule) {
  const bool is_icmp = rule.protocol == 1 || rule.protocol == 58;
  uint8_t known = 0;
  if (rule.source_ports || rule.destination_ports) {
    known = is_icmp ? FilterKey::kIcmpType : FilterKey::kPorts;
  }
  if (rule.tcp_flags_mask != 0) {
    known |= FilterKey::kTcpFlags;
  }
  return known;
}

}  // namespace

rte_acl_config AclConfig(bool ipv6) {
  rte_acl_config config = {};
  config.num_categories = 1;
  const auto add = [&config](uint8_t type, uint8_t size, uint8_t input, size_t offset) {
    const auto index = static_cast<uint8_t>(config.num_fields++);
    config.defs[index] = {type, size, index, input, static_cast<uint32_t>(offset)};
  };
  add(RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, offsetof(FilterKey, protocol));
  add(RTE_ACL_FIELD_TYPE_RANGE, 2, 1, offsetof(FilterKey, ports));
  add(RTE_ACL_FIELD_TYPE_RANGE, 2, 1, offsetof(FilterKey, ports) + 2);
  add(RTE_ACL_FIELD_TYPE_BITMASK, 4, 2, offsetof(FilterKey, known));
  for (unsigned i = 0; i < 2 * WordsOf(ipv6); ++i) {
    add(RTE_ACL_FIELD_TYPE_MASK, 4, static_cast<uint8_t>(3 + i),
        offsetof(FilterKey, addresses) + size_t{4} * i);
  }
  return config;
}

unsigned NumRanges(const AclRule& rule) {
  const auto is_range = [&](unsigned field) {
    const uint16_t first = rule.field[field].value.u16;
    const uint16_t last = rule.field[field].mask_range.u16;
    return first != last && (first != 0 || last != 65535);
  };
  return (is_range(kSourcePorts) ? 1 : 0) + (is_range(kDestinationPorts) ? 1 : 0);
}

bool IsOfFamily(const FilterRuleSpec& rule, bool ipv6) {
  const std::optional<PrefixSpec>& tells = rule.source ? rule.source : rule.destination;
  return !tells || tells->is_ipv6 == ipv6;
}

AclRule ToAclRule(const FilterRuleSpec& rule, bool ipv6, int32_t priority) {
  AclRule acl = {};
  acl.data.category_mask = 1;
  acl.data.priority = priority;
  acl.data.userdata = rule.permit ? kAclPermit : kAclDeny;
  acl.field[kProtocol].value.u8 = rule.protocol;
  acl.field[kProtocol].mask_range.u8 = rule.protocol == 0 ? 0 : 0xff;
  FillPorts(rule.source_ports, &acl.field[kSourcePorts]);
  FillPorts(rule.destination_ports, &acl.field[kDestinationPorts]);
  const uint32_t known = KnownOf(rule);
  acl.field[kFacts].value.u32 = known << 24 | uint32_t{rule.tcp_flags} << 16;
  acl.field[kFacts].mask_range.u32 = known << 24 | uint32_t{rule.tcp_flags_mask} << 16;
  const unsigned words = WordsOf(ipv6);
  FillAddress(rule.source, words, &acl.field[kAddresses]);
  FillAddress(rule.destination, words, &acl.field[kAddresses + words]);
  return acl;
}

}  // namespace culvert::dataplane
