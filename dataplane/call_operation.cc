#include "dataplane/datapath.h"
#include "dataplane/mppe/wipe.h"

namespace culvert::dataplane {

absl::StatusOr<uint64_t> Datapath::Upsert(const CallSpec& spec) {
  CallOperation operation{.kind = CallOperation::Kind::kUpsert, .spec = spec};
  Program({&operation, 1});
  for (std::optional<MppeKeySpec>* key : {&operation.spec.receive, &operation.spec.send}) {
    if (*key) {
      mppe::Wipe(&**key, sizeof(**key));
    }
  }
  if (!operation.status.ok()) {
    return operation.status;
  }
  return operation.handle;
}

absl::StatusOr<CallTotals> Datapath::Remove(uint64_t handle) {
  CallOperation operation{.kind = CallOperation::Kind::kRemove, .handle = handle};
  Program({&operation, 1});
  if (!operation.status.ok()) {
    return operation.status;
  }
  return operation.totals;
}

}  // namespace culvert::dataplane
