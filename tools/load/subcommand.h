// The subcommands of culvert-load. Each has a function that adds it to the command line; main.cc
// has their table.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace culvert::load {

// Exit statuses of every subcommand.
constexpr int kHeld = 0;         // all went well, and the limits held
constexpr int kNotHeld = 1;      // it ran, and a limit or a case did not hold
constexpr int kCannotStart = 2;  // wrong use, nothing could be started, or no report be written

// Chosen is what to run once the command line is read; it returns the exit status.
using Chosen = std::function<int()>;

// Each adds a subcommand to `app`, whose callback sets `chosen`. Both outlive the parsing.
void AddRun(CLI::App* app, Chosen* chosen);
void AddMonkey(CLI::App* app, Chosen* chosen);
void AddSink(CLI::App* app, Chosen* chosen);
void AddConformance(CLI::App* app, Chosen* chosen);

}  // namespace culvert::load
