// What came of the cases: a table for people, JSON, JUnit XML, Markdown.
#pragma once

#include <string>
#include <vector>

#include "tools/load/conformance/runner.h"

namespace culvert::load::conformance {

struct Totals {
  unsigned fine = 0, departs = 0, violates = 0, skipped = 0;
};
[[nodiscard]] Totals Count(const std::vector<Outcome>& outcomes);

// FormatLine is one case's line of the table, without a line end.
[[nodiscard]] std::string FormatLine(const Outcome& outcome);
[[nodiscard]] std::string FormatTotals(const Totals& totals);
// FormatList is --list: name, section, what is sent; a case a line.
[[nodiscard]] std::string FormatList(const std::vector<const Case*>& cases);
[[nodiscard]] std::string FormatJson(const std::string& server, const Survey& survey,
                                     const std::vector<Outcome>& outcomes);
[[nodiscard]] std::string FormatJunit(const std::string& server,
                                      const std::vector<Outcome>& outcomes);
// FormatMarkdown is a table for docs, without addresses and times.
[[nodiscard]] std::string FormatMarkdown(const Survey& survey,
                                         const std::vector<Outcome>& outcomes);

}  // namespace culvert::load::conformance
