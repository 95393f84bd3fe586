// A fragment of a GRE packet to an address that clients dial.
#pragma once

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// OuterFragment keeps it until the whole packet is there, which then begins at Stage::kGre.
// packet.ip is parsed, the header stands after the Ethernet header; `slot` is the local address's.
Verdict OuterFragment(Packet& packet, uint32_t slot, WorkerContext& context);

// ExpireOuterFragments is called once a round and counts what has waited too long.
void ExpireOuterFragments(WorkerContext* context);

}  // namespace culvert::dataplane
