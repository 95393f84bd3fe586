// The measurements, one a run of the program. Each needs EAL up with the options' cores as its
// lcores, prints its rows, and gives the exit status: a packet that was lost where none may be is a
// failure, not a figure.
#pragma once

#include <string>
#include <vector>

namespace culvert::bench {

struct Options {
  std::string path = "upstream";
  std::string mppe = "none";
  unsigned size = 64;
  unsigned calls = 65536;
  unsigned samples = 51;
  unsigned core = 0;        // where the measured worker runs
  unsigned other_core = 0;  // a second worker, or who makes its packets
  bool huge_pages = false;
  double load = 0.5;   // of the full rate
  std::string attack;  // empty: all
};

int MeasurePath(const Options& options);
int MeasureScale(const Options& options);
int MeasureLatency(const Options& options);
int MeasureSweep(const Options& options);
int MeasureMemory(const Options& options);
int MeasureAttack(const Options& options);

}  // namespace culvert::bench
