// How a PPP frame of a call gets to the control plane.
#pragma once

#include "dataplane/steps/steps.h"

namespace culvert::dataplane {

// PuntToControl takes a packet whose payload is the information of packet->protocol, with the GRE
// header before it. A call's frames are limited: Drop(punt_rate) beyond.
Verdict PuntToControl(Packet* packet, const WorkerContext& context);

}  // namespace culvert::dataplane
