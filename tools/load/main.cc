// culvert-load: generates PPTP load and checks PPTP servers.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/load/subcommand.h"

namespace culvert::load {
namespace {

// The subcommands, in the order of the help.
constexpr void (*kSubcommands[])(CLI::App*, Chosen*) = {
    AddRun,
    AddMonkey,
    AddSink,
    AddConformance,
};

int Main(int argc, char** argv) {
  CLI::App app("Generates PPTP load and checks PPTP servers", "culvert-load");
  app.set_version_flag("--version", "culvert-load " CULVERT_VERSION);
  app.require_subcommand(1);
  Chosen chosen;
  for (const auto add : kSubcommands) {
    add(&app, &chosen);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHeld : kCannotStart;  // 0: --help, --version
  }
  const int status = chosen();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("culvert-load: cannot write to standard output\n", stderr);
    return kCannotStart;
  }
  return status;
}

}  // namespace
}  // namespace culvert::load

int main(int argc, char** argv) { return culvert::load::Main(argc, argv); }
