// Load reads the configuration file of both processes: TOML, over embedded defaults, into the
// message of proto/culvert/config/v1/config.proto. All problems are reported at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "culvert/config/v1/config.pb.h"

namespace culvert::config {

// Problem is one thing wrong with the configuration.
struct Problem {
  std::string file;
  int line = 0;         // from 1; 0: none
  std::string key;      // "dataplane.ports[1].mtu", items counted from 0; empty: none
  std::string message;  // what is wrong and what is allowed
};

struct Loaded {
  v1::Config config;  // to be used only when there are no problems
  std::vector<Problem> problems;
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

// Process: the data plane needs ports, the control plane does not.
enum class Process { kDataplane, kControlplane };

inline constexpr char kDefaultPath[] = "/etc/culvert/culvert.toml";

// DefaultPath is kDefaultPath when there is such a file, else empty (embedded defaults).
[[nodiscard]] std::string DefaultPath();

// Load reads the embedded defaults, then `path` over them: keys of the file replace, arrays as a
// whole. Empty path: defaults only. Then come the checks across keys, and whether others may read a
// file with secrets in it. Never throws.
[[nodiscard]] Loaded Load(const std::string& path, Process process);

// LoadText is Load for a file's contents; `file` is its name in problems.
[[nodiscard]] Loaded LoadText(std::string_view text, const std::string& file, Process process);

// Check is the checks across keys alone, for a configuration that is made of two. `name` stands for
// the file in problems.
[[nodiscard]] std::vector<Problem> Check(const v1::Config& config, const std::string& name,
                                         Process process);

// Format makes one line: "file:line: key: message".
[[nodiscard]] std::string Format(const Problem& problem);

// RunCheck is what `--check` does: one line a problem on standard error, or one on standard
// output that all is well. It returns the exit status: 0, or 2 for problems.
[[nodiscard]] int RunCheck(const std::string& path, Process process);

}  // namespace culvert::config
