#include "dataplane/eal/arguments.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

namespace culvert::dataplane {

std::vector<std::string> EalArguments(const EalSpec& spec) {
  std::string lcores = absl::StrCat("0@", spec.main_core);
  for (unsigned i = 0; i < spec.worker_cores.size(); ++i) {
    absl::StrAppend(&lcores, ",", WorkerLcore(i), "@", spec.worker_cores[i]);
  }
  std::vector<std::string> arguments = {
      "culvert-dataplane", "--no-telemetry", "--file-prefix", spec.file_prefix,
      "--lcores",          lcores,           "--main-lcore",  "0"};
  // Either way no file is left behind and no other process can attach; EAL does not take them
  // together.
  if (spec.huge_pages) {
    arguments.emplace_back("--in-memory");
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }
  arguments.insert(arguments.end(), {"-m", std::to_string(spec.memory_mb)});

  const bool any_pci = std::any_of(spec.devices.begin(), spec.devices.end(),
                                   [](const Device& d) { return d.kind == Device::Kind::kPci; });
  if (!any_pci) arguments.emplace_back("--no-pci");
  for (const Device& device : spec.devices) {
    arguments.emplace_back(device.kind == Device::Kind::kPci ? "--allow" : "--vdev");
    arguments.push_back(device.Text());
  }
  return arguments;
}

}  // namespace culvert::dataplane
