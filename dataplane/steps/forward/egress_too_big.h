// A packet larger than the MTU of the port that it leaves by.
#pragma once

#include <optional>

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// FitEgress makes the packet at the mbuf's data its own first fragment and spawns the others at
// Stage::kEthernet (RFC 1812 s4.2.2.7). With DF set, or when that is impossible, it gives the
// reason to drop it, and the sender has been told, unless that is we.
std::optional<DropReason> FitEgress(Packet& packet, uint16_t mtu, WorkerContext* context);

}  // namespace culvert::dataplane
