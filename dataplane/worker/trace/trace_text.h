// A trace in words: names as the files of the steps have them. Texts are static.
#pragma once

#include "dataplane/datapath.h"
#include "dataplane/worker/trace/tracer.h"

namespace culvert::dataplane {

TracedStep Describe(const Tracer::Step& step);
// Describe fills all but the worker. `now_tsc` and `now_ns` (since 1970) are the same moment.
TracedPacket Describe(const Tracer::Record& record, uint64_t now_tsc, int64_t now_ns);

}  // namespace culvert::dataplane
