// A filter's rule as rte_acl takes it, over FilterKey.
#pragma once

#include <rte_acl.h>

#include "dataplane/filter/filter_spec.h"

namespace culvert::dataplane {

// What a rule's match gives; 0 is rte_acl's word for no match.
constexpr uint32_t kAclNone = 0;
constexpr uint32_t kAclPermit = 1;
constexpr uint32_t kAclDeny = 2;

constexpr unsigned kMaxAclFields = 12;
RTE_ACL_RULE_DEF(AclRule, kMaxAclFields);  // IPv4 leaves the last six alone

// AclConfig: the fields of a family.
rte_acl_config AclConfig(bool ipv6);

// IsOfFamily: whether a rule can match packets of the family.
bool IsOfFamily(const FilterRuleSpec& rule, bool ipv6);

// NumRanges: 0 to 2, how many of the ports are neither one nor any.
unsigned NumRanges(const AclRule& rule);

// ToAclRule takes a rule of the family; higher priorities go first.
AclRule ToAclRule(const FilterRuleSpec& rule, bool ipv6, int32_t priority);

}  // namespace culvert::dataplane
