// How quickly accounting takes records and gets them off its spool again, with a server that
// acknowledges at once.
#pragma once

#include <cstdint>
#include <string>

namespace culvert::bench {

// MeasureSpool prints a row: `calls` calls that come and go, two records each. `path`: of the
// spool, a file that is not there yet.
int MeasureSpool(const std::string& path, uint32_t calls);

}  // namespace culvert::bench
