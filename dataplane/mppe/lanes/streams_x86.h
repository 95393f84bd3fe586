// Kernels::go_on of the fast kernels.
#pragma once

#include "dataplane/mppe/lanes/lanes.h"

namespace culvert::dataplane::mppe {

constexpr unsigned kMaxStreams = 4;  // more do not fit the registers

void GoOnX86(const Stream* streams, unsigned num, size_t num_blocks);

}  // namespace culvert::dataplane::mppe
