// What both families' MTU steps ask.
#pragma once

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// MtuOf gives the most octets that an inner packet to the client may have now: the call's MTU, or
// less while its outer packets may not be cut and a router has told of a narrow place (RFC 1191
// s6).
uint16_t MtuOf(const Call& call, const WorkerContext& context);

}  // namespace culvert::dataplane
