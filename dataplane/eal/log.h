// DPDK's own log lines, turned into ours. Until QuietStart() is over they are debug lines, and
// the last errors are kept, so that a start-up failure can say why in its one line; after that
// errors are warnings.
#pragma once

#include <string>

namespace culvert::dataplane {

// CaptureDpdkLog redirects DPDK's log; call it before rte_eal_init, once, on the main thread.
void CaptureDpdkLog();
// LastDpdkErrors gives the last few error lines since the last call, "; " between them.
std::string LastDpdkErrors();
// EndQuietStart says that the process is up.
void EndQuietStart();

}  // namespace culvert::dataplane
