// Connection: a control connection of a fleet, with the calls of one group.
#pragma once

#include <cstdint>

#include "controlplane/client_role/control_client.h"
#include "tools/load/fleet/fleet.h"

namespace culvert::load {

struct Fleet::Connection {
  Connection(const client_role::ControlClientSettings* settings, uint32_t group_index)
      : group(group_index), control(settings) {}

  int fd = -1;
  const uint32_t group;
  uint32_t source = 0, server = 0;  // host order
  uint32_t num_calls = 0;           // that are not over
  bool connecting = true;
  bool stopping = false;
  uint64_t due_ms = 0;
  client_role::ControlClient control;
};

}  // namespace culvert::load
