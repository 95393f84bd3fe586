// The data plane as culvertctl shows it to people.
#pragma once

#include <string>
#include <vector>

#include "culvert/dataplane/v1/dataplane.pb.h"
#include "culvert/management/v1/management.pb.h"

namespace culvert::ctl {

// DataplaneTables: workers, their stages, the drops that happened, ports, packet buffers; an empty
// line between tables.
[[nodiscard]] std::vector<std::string> DataplaneTables(
    const management::v1::GetDataplaneResponse& dataplane);
// TraceLines: a line for the packet, then one for each step.
[[nodiscard]] std::vector<std::string> TraceLines(const dataplane::v1::TracedPacket& packet);

}  // namespace culvert::ctl
