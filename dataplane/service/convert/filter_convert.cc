#include "dataplane/service/convert/filter_convert.h"

#include <absl/strings/str_cat.h>

#include <string>

#include "dataplane/service/convert/prefix_convert.h"

namespace culvert::dataplane {
namespace {

absl::Status CheckMax(const std::string& field, uint64_t value, uint64_t max) {
  return value <= max ? absl::OkStatus() : WrongField(field, value, absl::StrCat("0 to ", max));
}

absl::Status ToPrefix(const std::string& field, bool present, const v1::Prefix& prefix,
                      std::optional<PrefixSpec>* out) {
  return present ? ToPrefix(field, prefix, 0, &out->emplace()) : absl::OkStatus();
}

absl::Status ToRange(const std::string& field, bool present, const v1::Range& range,
                     std::optional<PortRange>* out) {
  if (!present) return absl::OkStatus();
  absl::Status status = CheckMax(field + ".first", range.first(), 65535);
  status.Update(CheckMax(field + ".last", range.last(), 65535));
  out->emplace(
      PortRange{static_cast<uint16_t>(range.first()), static_cast<uint16_t>(range.last())});
  return status;
}

absl::Status ToRule(const std::string& field, const v1::FilterRule& rule, FilterRuleSpec* out) {
  absl::Status status = CheckMax(field + ".protocol", rule.protocol(), 255);
  status.Update(CheckMax(field + ".tcp_flags_mask", rule.tcp_flags_mask(), 255));
  status.Update(CheckMax(field + ".tcp_flags", rule.tcp_flags(), 255));
  out->permit = rule.permit();
  out->upstream = rule.upstream();
  out->protocol = static_cast<uint8_t>(rule.protocol());
  out->tcp_flags_mask = static_cast<uint8_t>(rule.tcp_flags_mask());
  out->tcp_flags = static_cast<uint8_t>(rule.tcp_flags());
  status.Update(ToPrefix(field + ".source", rule.has_source(), rule.source(), &out->source));
  status.Update(ToPrefix(field + ".destination", rule.has_destination(), rule.destination(),
                         &out->destination));
  status.Update(ToRange(field + ".source_ports", rule.has_source_ports(), rule.source_ports(),
                        &out->source_ports));
  status.Update(ToRange(field + ".destination_ports", rule.has_destination_ports(),
                        rule.destination_ports(), &out->destination_ports));
  return status;
}

}  // namespace

absl::StatusOr<FilterSpec> ToFilterSpec(const v1::Filter& filter) {
  if (static_cast<size_t>(filter.rules_size()) > kMaxFilterRules) {
    return WrongField("rules", static_cast<uint64_t>(filter.rules_size()),
                      absl::StrCat("at most ", kMaxFilterRules));
  }
  FilterSpec spec;
  spec.id = filter.id();
  spec.permit_upstream = filter.permit_upstream();
  spec.permit_downstream = filter.permit_downstream();
  for (int i = 0; i < filter.rules_size(); ++i) {
    if (absl::Status status =
            ToRule(absl::StrCat("rules[", i, "]"), filter.rules(i), &spec.rules.emplace_back());
        !status.ok()) {
      return status;
    }
  }
  return spec;
}

}  // namespace culvert::dataplane
