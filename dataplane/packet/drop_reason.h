// DropReason: why a packet was not forwarded. drop_reason.def is the list.
#pragma once

#include <cstddef>
#include <cstdint>

namespace culvert::dataplane {

enum class DropReason : uint8_t {
#define DROP_REASON(name, text, source) name,
#include "dataplane/packet/drop_reason.def"
#undef DROP_REASON
  kCount,
};
constexpr size_t kNumDropReasons = static_cast<size_t>(DropReason::kCount);

struct DropReasonInfo {
  const char* name;    // of the counter
  const char* text;    // one clause, for people
  const char* source;  // RFC section
};
// Describe gives strings that live for ever. `reason` is not kCount.
const DropReasonInfo& Describe(DropReason reason);

}  // namespace culvert::dataplane
