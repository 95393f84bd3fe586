#include "proto/config/load.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <tuple>

#include "proto/config/check/check.h"
#include "proto/config/defaults.h"
#include "proto/config/source_map.h"
#include "proto/config/toml_reader.h"

namespace culvert::config {
namespace {

constexpr char kDefaultsName[] = "embedded defaults";
constexpr size_t kMaxFileSize = 4 << 20;

// ReadFile answers what is wrong, or an empty string.
std::string ReadFile(const std::string& path, std::string* text, uint32_t* mode) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return fmt::format("cannot be read: {}", std::strerror(errno));
  }
  *mode = status.st_mode;
  if (S_ISDIR(status.st_mode)) return "is a directory, not a configuration file";
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fmt::format("cannot be read: {}", std::strerror(errno));
  text->resize(kMaxFileSize + 1);
  file.read(text->data(), static_cast<std::streamsize>(text->size()));
  text->resize(static_cast<size_t>(file.gcount()));
  if (text->size() > kMaxFileSize) return "is larger than 4 MiB: not a configuration file";
  return "";
}

// Sort puts problems in the order of the file.
void Sort(std::vector<Problem>* problems) {
  std::stable_sort(problems->begin(), problems->end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
}

void CheckAll(const v1::Config& config, Process process, const SourceMap& places,
              std::vector<Problem>* problems) {
  CheckRequired(config, process, places, problems);
  CheckDataplane(config, places, problems);
  CheckService(config, places, problems);
  CheckPools(config, places, problems);
  CheckIpv6(config, places, problems);
  CheckRadius(config, places, problems);
  CheckDynamic(config, places, problems);
  CheckFilters(config, places, problems);
}

// LoadOver: `mode` of the file; 0: there is none.
Loaded LoadOver(std::string_view text, const std::string& file, uint32_t mode, Process process) {
  Loaded loaded;
  SourceMap places;
  ReadToml(kDefaults, kDefaultsName, false, &loaded.config, &places, &loaded.problems);
  places.file = file;
  const size_t before = loaded.problems.size();
  ReadToml(text, file, true, &loaded.config, &places, &loaded.problems);
  const bool syntax_error = loaded.problems.size() > before && loaded.problems.back().key.empty();
  // A file that is no TOML says nothing about what would be missing in it.
  if (!syntax_error) {
    CheckAll(loaded.config, process, places, &loaded.problems);
    CheckSecrets(loaded.config, mode, places, &loaded.problems);
  }
  Sort(&loaded.problems);
  return loaded;
}

}  // namespace

std::string DefaultPath() { return access(kDefaultPath, F_OK) == 0 ? kDefaultPath : ""; }

Loaded Load(const std::string& path, Process process) {
  if (path.empty()) return LoadOver("", kDefaultsName, 0, process);
  std::string text;
  uint32_t mode = 0;
  if (std::string wrong = ReadFile(path, &text, &mode); !wrong.empty()) {
    Loaded loaded;
    loaded.problems.push_back(Problem{path, 0, "", std::move(wrong)});
    return loaded;
  }
  return LoadOver(text, path, mode, process);
}

Loaded LoadText(std::string_view text, const std::string& file, Process process) {
  return LoadOver(text, file, 0, process);
}

std::vector<Problem> Check(const v1::Config& config, const std::string& name, Process process) {
  std::vector<Problem> problems;
  SourceMap places;
  places.file = name;
  CheckAll(config, process, places, &problems);
  return problems;
}

std::string Format(const Problem& problem) {
  std::string line = problem.file;
  if (problem.line > 0) line += fmt::format(":{}", problem.line);
  if (!problem.key.empty()) line += fmt::format(": {}", problem.key);
  return line + ": " + problem.message;
}

int RunCheck(const std::string& path, Process process) {
  const Loaded loaded = Load(path, process);
  for (const Problem& problem : loaded.problems) {
    std::fprintf(stderr, "%s\n", Format(problem).c_str());
  }
  if (!loaded.ok()) return 2;
  std::printf("%s: OK\n", path.empty() ? kDefaultsName : path.c_str());
  return 0;
}

}  // namespace culvert::config
