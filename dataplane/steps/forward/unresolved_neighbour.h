// A packet whose next hop has no Ethernet address yet.
#pragma once

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// UnresolvedNeighbour has the kernel ask for the host `address` on `port` and keeps the packet,
// when there is room, until the answer comes.
Verdict UnresolvedNeighbour(Packet& packet, uint16_t port, uint32_t address,
                            WorkerContext& context);

// PollNeighbours is called once a round, before new packets: what waits for a neighbour now known
// begins at Stage::kEthernet, what has waited too long is dropped and its sender told. Returns
// whether anything was spawned.
bool PollNeighbours(WorkerContext* context);

}  // namespace culvert::dataplane
