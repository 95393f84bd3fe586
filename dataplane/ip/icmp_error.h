// ICMP errors about packets that cannot go on (RFC 1812 s4.3.2).
#pragma once

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"
#include "proto/wire/ip/icmp.h"

namespace culvert::dataplane {

// SpawnIcmpError tells the sender of `packet`, which is the caller's and will be dropped by him,
// if it may be told (wire::icmp::MayAnswer), the rate allows it and the sender can be reached from
// an address of ours. packet.ip is the header at the beginning of the mbuf's data. The error begins
// at Stage::kRoute, from the address of the interface that it leaves by.
void SpawnIcmpError(Packet& packet, const wire::icmp::Message& message, WorkerContext* context);

}  // namespace culvert::dataplane
