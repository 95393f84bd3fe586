#include "tools/load/conformance/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace culvert::load::conformance {

namespace {

// Sanitized: what a server sent may hold anything; a line stays a line.
std::string Sanitized(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    out += octet >= 0x20 && octet < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", octet);
  }
  return out;
}

std::string Xml(std::string_view text) {
  std::string out;
  for (const char c : Sanitized(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string MarkdownCell(std::string_view text) {
  std::string out;
  for (const char c : Sanitized(text)) {
    if (c == '|' || c == '\\' || c == '<' || c == '*' || c == '_') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string GroupOf(const Case& one) {
  const std::string_view name = one.name;
  return std::string(name.substr(0, name.find('/')));
}

}  // namespace

Totals Count(const std::vector<Outcome>& outcomes) {
  Totals totals;
  for (const Outcome& one : outcomes) {
    switch (one.result.verdict) {
      case Verdict::kFine:
        ++totals.fine;
        break;
      case Verdict::kDeparts:
        ++totals.departs;
        break;
      case Verdict::kViolates:
        ++totals.violates;
        break;
      case Verdict::kSkipped:
        ++totals.skipped;
        break;
    }
  }
  return totals;
}

std::string FormatLine(const Outcome& outcome) {
  return fmt::format("{:<9} {:<32} {:<19} {}", ToString(outcome.result.verdict),
                     outcome.tried->name, outcome.tried->section,
                     Sanitized(outcome.result.came_back));
}

std::string FormatTotals(const Totals& totals) {
  return fmt::format("{} cases: {} fine, {} depart as others do, {} violate the RFC, {} skipped",
                     totals.fine + totals.departs + totals.violates + totals.skipped, totals.fine,
                     totals.departs, totals.violates, totals.skipped);
}

std::string FormatList(const std::vector<const Case*>& cases) {
  std::string out;
  for (const Case* one : cases) {
    out += fmt::format("{:<32} {:<19} {}\n", one->name, one->section, one->sends);
  }
  return out;
}

std::string FormatJson(const std::string& server, const Survey& survey,
                       const std::vector<Outcome>& outcomes) {
  using nlohmann::json;
  const Totals totals = Count(outcomes);
  json out = {{"server", server},
              {"host_name", Sanitized(survey.host_name)},
              {"vendor", Sanitized(survey.vendor)},
              {"firmware", survey.firmware},
              {"totals",
               {{"fine", totals.fine},
                {"departs", totals.departs},
                {"violates", totals.violates},
                {"skipped", totals.skipped}}},
              {"cases", json::array()}};
  for (const Outcome& one : outcomes) {
    out["cases"].push_back({{"name", one.tried->name},
                            {"section", one.tried->section},
                            {"sends", one.tried->sends},
                            {"asks", one.tried->asks},
                            {"came_back", Sanitized(one.result.came_back)},
                            {"verdict", ToString(one.result.verdict)},
                            {"seconds", one.seconds}});
  }
  return out.dump(2) + "\n";
}

std::string FormatJunit(const std::string& server, const std::vector<Outcome>& outcomes) {
  const Totals totals = Count(outcomes);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"PPTP conformance of {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
      Xml(server), outcomes.size(), totals.violates, totals.skipped);
  for (const Outcome& one : outcomes) {
    out += fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">",
                       Xml(GroupOf(*one.tried)), Xml(one.tried->name), one.seconds);
    const std::string came_back = Xml(one.result.came_back);
    if (one.result.verdict == Verdict::kViolates) {
      out += fmt::format(
          "\n    <failure message=\"{}\">{}: sent {}; asked {}; came back: {}</failure>\n  ",
          came_back, Xml(one.tried->section), Xml(one.tried->sends), Xml(one.tried->asks),
          came_back);
    } else if (one.result.verdict == Verdict::kSkipped) {
      out += fmt::format("<skipped message=\"{}\"/>", came_back);
    } else {
      out +=
          fmt::format("<system-out>{}: {}</system-out>", ToString(one.result.verdict), came_back);
    }
    out += "</testcase>\n";
  }
  return out + "</testsuite>\n";
}

std::string FormatMarkdown(const Survey& survey, const std::vector<Outcome>& outcomes) {
  std::string out = fmt::format(
      "Host name \"{}\", vendor \"{}\", firmware {}. {}.\n\n"
      "| case | section | sends | asks | came back | verdict |\n|---|---|---|---|---|---|\n",
      MarkdownCell(survey.host_name), MarkdownCell(survey.vendor), survey.firmware,
      FormatTotals(Count(outcomes)));
  for (const Outcome& one : outcomes) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", one.tried->name, one.tried->section,
                       MarkdownCell(one.tried->sends), MarkdownCell(one.tried->asks),
                       MarkdownCell(one.result.came_back), ToString(one.result.verdict));
  }
  return out;
}

}  // namespace culvert::load::conformance
