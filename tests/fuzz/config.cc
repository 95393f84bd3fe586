// The configuration file. Input: its text.
#include <string_view>

#include "proto/config/load.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Require;
namespace config = culvert::config;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto process : {config::Process::kDataplane, config::Process::kControlplane}) {
    const config::Loaded loaded = config::LoadText(text, "fuzz.toml", process);
    for (const config::Problem& problem : loaded.problems) {
      Require(!problem.message.empty(), "a problem says what is wrong");
      Require(config::Format(problem).find('\n') == std::string::npos, "a problem is one line");
    }
    const config::Loaded again = config::LoadText(text, "fuzz.toml", process);
    Require(again.problems.size() == loaded.problems.size() &&
                again.config.SerializeAsString() == loaded.config.SerializeAsString(),
            "the same text gives the same configuration");
  }
  return 0;
}
