// Calls as culvertctl shows them to people.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "culvert/management/v1/management.pb.h"

namespace culvert::ctl {

// CallTable: a line of titles and one for each call, oldest first.
[[nodiscard]] std::vector<std::string> CallTable(std::vector<management::v1::Call> calls);
// CallDetails: one line for each field.
[[nodiscard]] std::vector<std::string> CallDetails(const management::v1::Call& call);
// EventLine: one line of `calls watch` where there is no terminal.
[[nodiscard]] std::string EventLine(const management::v1::CallEvent& event);

// LiveCalls follows a watch's events and draws the table of the calls that are there.
class LiveCalls {
 public:
  void OnEvent(const management::v1::CallEvent& event);
  [[nodiscard]] bool complete() const { return complete_; }  // the snapshot has been read

  // Screen: totals, then the table, cut to `rows` lines of `columns` characters (0: not cut).
  [[nodiscard]] std::vector<std::string> Screen(size_t rows, size_t columns) const;

 private:
  std::map<std::string, management::v1::Call> calls_;  // by id
  bool complete_ = false;
};

}  // namespace culvert::ctl
