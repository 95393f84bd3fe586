// Show: what a run shows while it goes on: a screen in a terminal, else a line a second.
#pragma once

#include <cstdio>
#include <string>

#include "load.pb.h"
#include "tools/load/report/tally.h"

namespace culvert::load {

class Show {
 public:
  // `out` is borrowed; quiet: nothing is shown.
  Show(std::FILE* out, bool quiet);
  ~Show();
  Show(const Show&) = delete;
  Show& operator=(const Show&) = delete;

  // OnSecond shows the state after another second of the run. Nobody need be there to see it: the
  // terminal may have been closed, the disk be full.
  void OnSecond(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample);
  // Done leaves the screen as it is and shows the cursor again; what follows stands below it.
  void Done();

 private:
  std::FILE* const out_;
  const bool quiet_, is_terminal_;
  int num_lines_ = 0;  // of the screen
};

// Line is a second as one line; Screen as several of at most `columns`, without any escapes.
[[nodiscard]] std::string Line(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample);
[[nodiscard]] std::string Screen(const v1::Plan& plan, const Tally& tally, const v1::Sample& sample,
                                 size_t columns);

}  // namespace culvert::load
