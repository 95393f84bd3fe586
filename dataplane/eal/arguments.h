// EAL's command line, made from the configuration.
#pragma once

#include <string>
#include <vector>

#include "dataplane/eal/device.h"

namespace culvert::dataplane {

struct EalSpec {
  std::string file_prefix;  // unique among the processes of the machine
  unsigned main_core = 0;
  std::vector<unsigned> worker_cores;  // worker i runs on lcore i + 1
  std::vector<Device> devices;
  bool huge_pages = false;
  unsigned memory_mb = 0;
};

// WorkerLcore is the EAL lcore id of worker `i`; the main thread is lcore 0.
constexpr unsigned WorkerLcore(unsigned i) { return i + 1; }

// EalArguments gives argv for rte_eal_init, the program's name first.
std::vector<std::string> EalArguments(const EalSpec& spec);

}  // namespace culvert::dataplane
