// ICMP errors about our own GRE packets.
#pragma once

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// LearnPathMtu reads an ICMP packet to an address that clients dial, header parsed, after the
// Ethernet header. True: it said that a GRE packet of ours was too big, and has been heeded; any
// other is the kernel's.
bool LearnPathMtu(Packet& packet, WorkerContext* context);

}  // namespace culvert::dataplane
