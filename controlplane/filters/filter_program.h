// Filters as the data plane takes them, from the rules that the configuration and RADIUS write.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert::filters {

// MakeProgram parses rules and writes out what each of them lists; the id is left open. When no
// rule of a direction matches, the opposite of its last one holds (RFC 6733 s4.3.1); a direction
// without a rule is open. The error names the rule and what is wrong with it.
[[nodiscard]] tl::expected<dataplane::v1::Filter, std::string> MakeProgram(
    std::span<const std::string> rules);

// SplitRules takes the values of NAS-Filter-Rule attributes, put together: rules with an octet 0
// between them (RFC 4849 s2).
[[nodiscard]] std::vector<std::string> SplitRules(std::string_view text);

}  // namespace culvert::filters
