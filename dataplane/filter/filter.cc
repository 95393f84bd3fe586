#include "dataplane/filter/filter.h"

#include <absl/strings/str_cat.h>
#include <rte_memory.h>

#include <atomic>
#include <string>
#include <vector>

namespace culvert::dataplane {
namespace {

// Building takes long and much memory for rules with ranges of ports, above all with two of them:
// so there are not too many of these in a filter, and few in one classifier.
using config::kMaxOneRangeRules;
using config::kMaxTwoRangesRules;
constexpr unsigned kClassifierWeight = 2048, kTwoRangesWeight = 128, kOneRangeWeight = 16;

// Names must be unique in the process.
std::string NewName() {
  static std::atomic<uint64_t> last{0};
  return absl::StrCat("filter", ++last);
}

absl::Status NoMemory(const FilterSpec& spec) {
  return absl::ResourceExhaustedError(
      absl::StrCat("rules: ", spec.rules.size(),
                   ": no memory for such rules; fewer of them, or more dataplane.memory_mb"));
}

absl::Status Wrong(size_t rule, absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("rules[", rule, "].", field, ": ", what));
}

bool IsIcmp(uint8_t protocol) { return protocol == 1 || protocol == 58; }

bool HasPorts(uint8_t protocol) {
  return protocol == 0 || protocol == 6 || protocol == 17 || protocol == 132;
}

absl::Status CheckPorts(size_t i, const FilterRuleSpec& rule) {
  const auto reversed = [](const std::optional<PortRange>& range) {
    return range && range->first > range->last;
  };
  if (reversed(rule.source_ports)) {
    return Wrong(i, "source_ports", "last is before first");
  }
  if (reversed(rule.destination_ports)) {
    return Wrong(i, "destination_ports", "last is before first");
  }
  if (rule.source_ports && !HasPorts(rule.protocol)) {
    return Wrong(i, "source_ports", "protocol must be 0 (any), 6 (TCP), 17 (UDP) or 132 (SCTP)");
  }
  if (rule.destination_ports && !HasPorts(rule.protocol) && !IsIcmp(rule.protocol)) {
    return Wrong(
        i, "destination_ports",
        "protocol must be 0 (any), 1 (ICMP), 6 (TCP), 17 (UDP), 58 (ICMPv6) or 132 (SCTP)");
  }
  return absl::OkStatus();
}

bool IsRange(const std::optional<PortRange>& ports) {
  return ports && config::IsRange(ports->first, ports->last);
}

absl::Status CheckRanges(const FilterSpec& spec) {
  size_t num[3] = {};
  for (const FilterRuleSpec& rule : spec.rules) {
    ++num[(IsRange(rule.source_ports) ? 1 : 0) + (IsRange(rule.destination_ports) ? 1 : 0)];
  }
  if (num[1] <= kMaxOneRangeRules && num[2] <= kMaxTwoRangesRules) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("rules: ", num[1], " with a range of ports and ",
                                                 num[2], " with two; allowed: ", kMaxOneRangeRules,
                                                 " and ", kMaxTwoRangesRules));
}

// NumTogether is how many of these rules, at least one, go into one classifier.
size_t NumTogether(std::span<const AclRule> rules) {
  unsigned weight = 0;
  size_t num = 0;
  while (num < rules.size() && (num == 0 || weight < kClassifierWeight)) {
    const unsigned ranges = NumRanges(rules[num++]);
    weight += ranges == 0 ? 1 : ranges == 1 ? kOneRangeWeight : kTwoRangesWeight;
  }
  return num;
}

absl::Status CheckRule(size_t i, const FilterRuleSpec& rule) {
  if (rule.source && rule.destination && rule.source->is_ipv6 != rule.destination->is_ipv6) {
    return Wrong(i, "destination", "must be of the family of source");
  }
  if (rule.tcp_flags_mask != 0 && rule.protocol != 6) {
    return Wrong(i, "tcp_flags_mask", "protocol must be 6 (TCP)");
  }
  if ((rule.tcp_flags & ~rule.tcp_flags_mask) != 0) {
    return Wrong(i, "tcp_flags", "must be within tcp_flags_mask");
  }
  return CheckPorts(i, rule);
}

}  // namespace

absl::StatusOr<FilterPart> FilterPart::Build(const FilterSpec& spec, bool upstream, bool ipv6) {
  FilterPart part;
  part.permit_ = upstream ? spec.permit_upstream : spec.permit_downstream;
  std::vector<AclRule> rules;
  for (size_t i = 0; i < spec.rules.size(); ++i) {
    const FilterRuleSpec& rule = spec.rules[i];
    if (rule.upstream == upstream && IsOfFamily(rule, ipv6)) {
      rules.push_back(ToAclRule(rule, ipv6, static_cast<int32_t>(spec.rules.size() - i)));
    }
  }
  if (rules.empty()) {
    return part;
  }
  for (std::span<const AclRule> rest = rules; !rest.empty();) {
    const size_t num = NumTogether(rest);
    part.classifiers_.push_back(MakeClassifier(rest.first(num), ipv6));
    if (part.classifiers_.back() == nullptr) {
      return NoMemory(spec);
    }
    rest = rest.subspan(num);
  }
  return part;
}

FilterPart::Classifier FilterPart::MakeClassifier(std::span<const AclRule> rules, bool ipv6) {
  const std::string name = NewName();
  const auto num = static_cast<uint32_t>(rules.size());
  const rte_acl_param param{.name = name.c_str(),
                            .socket_id = SOCKET_ID_ANY,
                            .rule_size = sizeof(AclRule),
                            .max_rule_num = num};
  Classifier classifier(rte_acl_create(&param));
  const rte_acl_config config = AclConfig(ipv6);
  const auto* first = reinterpret_cast<const rte_acl_rule*>(rules.data());
  if (classifier == nullptr || rte_acl_add_rules(classifier.get(), first, num) != 0 ||
      rte_acl_build(classifier.get(), &config) != 0) {
    return nullptr;
  }
  return classifier;
}

void FilterPart::Judge(std::span<const FilterKey* const> keys, bool* may_pass) const {
  const uint8_t* data[kMaxKeys];
  uint8_t from[kMaxKeys];  // of the keys that no rule has matched so far
  auto num = static_cast<uint32_t>(keys.size());
  for (uint32_t i = 0; i < num; ++i) {
    data[i] = reinterpret_cast<const uint8_t*>(keys[i]);
    from[i] = static_cast<uint8_t>(i);
    may_pass[i] = permit_;
  }
  for (size_t at = 0; at < classifiers_.size() && num != 0; ++at) {
    uint32_t results[kMaxKeys];
    rte_acl_classify(classifiers_[at].get(), data, results, num, 1);
    uint32_t left = 0;
    for (uint32_t i = 0; i < num; ++i) {
      if (results[i] != kAclNone) {
        may_pass[from[i]] = results[i] == kAclPermit;
      } else {
        data[left] = data[i];
        from[left++] = from[i];
      }
    }
    num = left;
  }
}

absl::Status Filter::Check(const FilterSpec& spec) {
  if (spec.id < 1 || spec.id > kMaxFilterId) {
    return absl::InvalidArgumentError(
        absl::StrCat("id: ", spec.id, "; allowed: 1 to ", kMaxFilterId));
  }
  if (spec.rules.size() > kMaxFilterRules) {
    return absl::InvalidArgumentError(
        absl::StrCat("rules: ", spec.rules.size(), "; allowed: at most ", kMaxFilterRules));
  }
  for (size_t i = 0; i < spec.rules.size(); ++i) {
    if (absl::Status status = CheckRule(i, spec.rules[i]); !status.ok()) {
      return status;
    }
  }
  return CheckRanges(spec);
}

absl::StatusOr<std::unique_ptr<const Filter>> Filter::Create(const FilterSpec& spec) {
  auto filter = std::make_unique<Filter>();
  for (const bool upstream : {false, true}) {
    for (const bool ipv6 : {false, true}) {
      auto part = FilterPart::Build(spec, upstream, ipv6);
      if (!part.ok()) {
        return part.status();
      }
      filter->parts_[upstream ? 1 : 0][ipv6 ? 1 : 0] = *std::move(part);
    }
  }
  return filter;
}

}  // namespace culvert::dataplane
