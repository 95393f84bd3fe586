// CCP Reset-Requests and Reset-Acks (RFC 1962 s3): stateful MPPE's keys are here, so the worker
// sends and answers them.
#pragma once

#include "dataplane/worker/context.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {

// SpawnCcpReset sends a frame without data to the peer of the call that `of` came from. When no
// buffer is left none is sent.
void SpawnCcpReset(wire::ppp::Code code, uint8_t identifier, const Packet* of,
                   WorkerContext* context);

}  // namespace culvert::dataplane
