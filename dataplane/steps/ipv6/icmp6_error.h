// ICMPv6 errors about packets that cannot go on (RFC 4443 s2.4).
#pragma once

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"
#include "proto/wire/ip/icmp.h"

namespace culvert::dataplane {

// SpawnIcmp6Error is SpawnIcmpError for IPv6: the mbuf's data begins at the packet's header. The
// error begins at Stage::kRoute6, from the address of the interface that it leaves by.
void SpawnIcmp6Error(Packet& packet, const wire::icmp::Message& message, WorkerContext* context);

}  // namespace culvert::dataplane
