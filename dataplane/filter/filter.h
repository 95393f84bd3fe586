// Filter: a FilterSpec made ready for packets. Immutable: a change makes another one.
#pragma once

#include <absl/status/statusor.h>
#include <rte_acl.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/filter/acl_rule.h"
#include "dataplane/filter/filter_key.h"
#include "dataplane/filter/filter_spec.h"

namespace culvert::dataplane {

// FilterPart: the rules of a filter for one direction and one family.
class FilterPart {
 public:
  // Build gives INVALID_ARGUMENT that names the rule, or RESOURCE_EXHAUSTED.
  static absl::StatusOr<FilterPart> Build(const FilterSpec& spec, bool upstream, bool ipv6);

  // Judge says for each key whether its packet may pass; at most kMaxKeys. Any thread.
  static constexpr size_t kMaxKeys = 64;
  void Judge(std::span<const FilterKey* const> keys, bool* may_pass) const;

 private:
  struct Free {
    void operator()(rte_acl_ctx* classifier) const { rte_acl_free(classifier); }
  };
  using Classifier = std::unique_ptr<rte_acl_ctx, Free>;
  static Classifier MakeClassifier(std::span<const AclRule> rules, bool ipv6);
  std::vector<Classifier> classifiers_;  // one after the other, the first rules first
  bool permit_ = true;                   // when none matches
};

class Filter {
 public:
  // Create takes a spec that Check likes.
  static absl::StatusOr<std::unique_ptr<const Filter>> Create(const FilterSpec& spec);
  // Check gives INVALID_ARGUMENT that begins with the field.
  static absl::Status Check(const FilterSpec& spec);

  [[nodiscard]] const FilterPart& part(bool upstream, bool ipv6) const {
    return parts_[upstream ? 1 : 0][ipv6 ? 1 : 0];
  }

 private:
  std::array<std::array<FilterPart, 2>, 2> parts_;
};

}  // namespace culvert::dataplane
