// StartTestEal: DPDK for tests and benchmarks: no NIC, no root, no huge pages; several
// processes at once.
#pragma once

#include <string>
#include <vector>

namespace culvert::dataplane {

struct TestEalSpec {
  unsigned memory_mb = 256;
  bool huge_pages = false;
  // Pins lcore i to cores[i]. Empty: lcores 0 to 3, each on any core that the process may use.
  std::vector<unsigned> cores;
};

// StartTestEal ends the process with a message when EAL does not start. Once in a process.
void StartTestEal(const TestEalSpec& spec);
// StopTestEal ends EAL and leaves no file behind.
void StopTestEal();

}  // namespace culvert::dataplane
