#include "dataplane/packet/drop_reason.h"

namespace culvert::dataplane {
namespace {

constexpr DropReasonInfo kInfo[] = {
#define DROP_REASON(name, text, source) {#name, text, source},
#include "dataplane/packet/drop_reason.def"
#undef DROP_REASON
};

}  // namespace

const DropReasonInfo& Describe(DropReason reason) { return kInfo[static_cast<size_t>(reason)]; }

}  // namespace culvert::dataplane
