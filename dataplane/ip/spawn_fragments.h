// Cutting a packet on its way through the worker.
#pragma once

#include <optional>

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

// SpawnFragments makes the packet, whose header at the mbuf's data is `header`, its own first
// fragment of at most `mtu` octets, and spawns the others at `stage`, on the same way. An error is
// the reason to drop the packet, which then is as it was. DF is the caller's business.
std::optional<DropReason> SpawnFragments(Packet& packet, const wire::ip::Ipv4Header& header,
                                         uint16_t mtu, Stage stage, DropReason too_big,
                                         WorkerContext* context);

}  // namespace culvert::dataplane
