#include "dataplane/service/programmer.h"

#include <utility>

#include "dataplane/service/convert/convert.h"
#include "dataplane/service/convert/filter_convert.h"

namespace culvert::dataplane {

void Programmer::Run(v1::ProgramRequest* request, v1::ProgramResponse* response) {
  response->Clear();
  response->set_batch(request->batch());
  taken_.reserve(static_cast<size_t>(request->operations_size()));  // moved, keys would stay behind
  for (v1::Operation& operation : *request->mutable_operations()) {
    Take(&operation, response->add_results());
  }
  Apply();
}

void Programmer::Take(v1::Operation* operation, v1::Result* result) {
  switch (operation->kind_case()) {
    case v1::Operation::kUpsert:
      return TakeUpsert(operation->mutable_upsert(), result);
    case v1::Operation::kRemove:
      taken_.push_back({.kind = CallOperation::Kind::kRemove, .handle = operation->remove()});
      results_.push_back(result);
      return;
    case v1::Operation::kUpsertFilter: {
      Apply();  // calls use filters
      const absl::StatusOr<FilterSpec> spec = ToFilterSpec(operation->upsert_filter());
      return FromResult(spec.ok() ? datapath_->SetFilter(*spec) : spec.status(), result);
    }
    case v1::Operation::kRemoveFilter:
      Apply();
      return FromResult(datapath_->RemoveFilter(operation->remove_filter()), result);
    case v1::Operation::KIND_NOT_SET:
      return FromResult(absl::InvalidArgumentError(
                            "kind: not set; allowed: upsert, remove, upsert_filter, remove_filter"),
                        result);
  }
}

void Programmer::TakeUpsert(v1::CallConfig* config, v1::Result* result) {
  absl::StatusOr<CallSpec> spec = ToCallSpec(*config);
  WipeKeys(config);
  if (!spec.ok()) {
    return FromResult(spec.status(), result);
  }
  taken_.push_back({.kind = CallOperation::Kind::kUpsert, .spec = *spec});
  results_.push_back(result);
  WipeKeys(&*spec);
}

void Programmer::Apply() {
  datapath_->Program(taken_);
  for (size_t i = 0; i < taken_.size(); ++i) {
    CallOperation& operation = taken_[i];
    v1::Result* result = results_[i];
    FromResult(operation.status, result);
    if (operation.kind == CallOperation::Kind::kUpsert) {
      WipeKeys(&operation.spec);
      result->set_handle(operation.status.ok() ? operation.handle : operation.spec.handle);
      continue;
    }
    removed_(operation.handle);
    result->set_handle(operation.handle);
    if (operation.status.ok()) {
      FromTotals(operation.handle, operation.totals, result->mutable_final_counters());
    }
  }
  taken_.clear();
  results_.clear();
}

}  // namespace culvert::dataplane
