// What shards cost each other: the control plane's protocols, AAA, directory and metrics with
// clients in the same thread, in memory. No socket and no gRPC.
#pragma once

#include <cstdint>

namespace culvert::bench {

// MeasureShards prints a row for one thread and one for two, `calls` calls each.
int MeasureShards(uint32_t calls);

}  // namespace culvert::bench
