#include "dataplane/rig/eal.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace culvert::dataplane {
namespace {

std::string Lcores(const std::vector<unsigned>& cores) {
  std::string lcores;
  for (size_t i = 0; i < cores.size(); ++i) {
    absl::StrAppend(&lcores, i == 0 ? "" : ",", i, "@", cores[i]);
  }
  if (!cores.empty()) {
    return lcores;
  }
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::vector<int> all;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) {
      all.push_back(i);
    }
  }
  return absl::StrCat("(0-3)@(", absl::StrJoin(all, ","), ")");
}

}  // namespace

void StartTestEal(const TestEalSpec& spec) {
  std::vector<std::string> arguments = {"culvert",
                                        "--no-pci",
                                        "--no-telemetry",
                                        "--log-level=*:error",
                                        "-m",
                                        absl::StrCat(spec.memory_mb),
                                        absl::StrCat("--file-prefix=culvert", getpid()),
                                        absl::StrCat("--lcores=", Lcores(spec.cores))};
  // Either leaves no file behind; EAL does not take them together.
  if (spec.huge_pages) {
    arguments.emplace_back("--in-memory");
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    std::fprintf(stderr, "EAL does not start: %s\n", rte_strerror(rte_errno));
    std::exit(1);
  }
}

void StopTestEal() {
  const std::string runtime_dir = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  rmdir(runtime_dir.c_str());  // EAL leaves it, empty
}

}  // namespace culvert::dataplane
