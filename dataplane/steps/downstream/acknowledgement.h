// An acknowledgement that leaves alone (RFC 2637 s4.3).
#pragma once

#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// SpawnAcknowledgement makes it and gives it to the loop; without a buffer it counts no_buffer.
void SpawnAcknowledgement(Call* call, uint32_t call_index, WorkerContext* context);

}  // namespace culvert::dataplane
