// Messages of proto/culvert/dataplane/v1 to and from Datapath's types, with every limit checked.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "dataplane/datapath.h"

namespace culvert::dataplane {

constexpr size_t kMaxRecordLen = 1024;

// ToCallSpec: InvalidArgument names the field and what it may be. The result holds keys: give it to
// WipeKeys when done.
absl::StatusOr<CallSpec> ToCallSpec(const v1::CallConfig& config);

// WipeKeys overwrites the keys.
void WipeKeys(CallSpec* spec);
void WipeKeys(v1::CallConfig* config);

void FromTotals(uint64_t handle, const CallTotals& totals, v1::CallCounters* out);
// FromEntry leaves keys out.
void FromEntry(const CallEntry& entry, v1::ListResponse::Entry* out);
void FromWorker(uint32_t worker, const WorkerTotals& totals, v1::WorkerCounters* out);
void FromEvent(const CallEvent& event, v1::Event* out);
void FromTraced(const TracedPacket& packet, v1::TracedPacket* out);
void FromResult(const absl::Status& status, v1::Result* out);

}  // namespace culvert::dataplane
