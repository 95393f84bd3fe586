// The runner against servers that do one thing wrong, and what it writes about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tools/load/conformance/fake_server.h"
#include "tools/load/conformance/report.h"
#include "tools/load/conformance/runner.h"
#include "tools/load/conformance/survey.h"

namespace culvert::load::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;

Target TargetOf(const FakeServer& server) {
  return {.server = 0x7f000001, .port = server.port(), .wait_ms = 500, .quiet_ms = 50};
}

// Try gives the outcome of one case against a fake server.
Result Try(FakeFaults faults, const char* name) {
  const FakeServer server(faults);
  std::string unknown;
  const auto cases = Select({name}, &unknown);
  EXPECT_EQ(unknown, "");
  EXPECT_EQ(cases.size(), 1u);
  const Survey survey;
  return RunCases(cases, TargetOf(server), survey, 1, false, [](const Outcome&) {}).at(0).result;
}

struct Fault {
  const char* name;
  FakeFaults faults;
  Verdict verdict;
};

TEST(Conformance, FindsEachFaultAndNoneWithoutIt) {
  const Fault kFaults[] = {
      {"control/start", {.wrong_version = true}, Verdict::kViolates},
      {"control/echo", {.wrong_echo = true}, Verdict::kViolates},
      {"control/echo-50", {.wrong_echo = true}, Verdict::kViolates},
      {"control/two-in-a-segment", {.wrong_echo = true}, Verdict::kViolates},
      {"control/bad-cookie", {.keeps_bad_cookie = true}, Verdict::kViolates},
      {"control/bad-cookie-later", {.keeps_bad_cookie = true}, Verdict::kViolates},
      {"control/stop", {.no_stop_reply = true}, Verdict::kDeparts},
      {"control/unknown-type", {.dies_of_unknown = true}, Verdict::kViolates},
  };
  for (const Fault& one : kFaults) {
    SCOPED_TRACE(one.name);
    EXPECT_EQ(Try(one.faults, one.name).verdict, one.verdict);
    const Result good = Try({}, one.name);
    EXPECT_EQ(good.verdict, Verdict::kFine) << good.came_back;
  }
}

TEST(Conformance, SkipsWhatTheServerCannotDo) {
  const Result result = Try({}, "mppe/lost-1");
  EXPECT_EQ(result.verdict, Verdict::kSkipped);
  EXPECT_EQ(result.came_back, "needs --user and --password");
}

TEST(Conformance, WhyNotNamesTheFirstNeed) {
  Survey survey;
  survey.offers = kUser | kMppe;
  EXPECT_EQ(WhyNot(kUser | kMppe, survey), "");
  EXPECT_EQ(WhyNot(kUser | kIpv6, survey), "the server does not do IPV6CP");
}

TEST(Conformance, SurveyOfAnUnreachableServerIsOneLine) {
  uint16_t port = 0;
  {
    const FakeServer gone({});
    port = gone.port();
  }
  Survey survey;
  const Target target{.server = 0x7f000001, .port = port, .wait_ms = 200};
  const std::string why = TakeSurvey(target, &survey);
  EXPECT_THAT(why, HasSubstr("Connection refused"));
  EXPECT_THAT(why, Not(HasSubstr("\n")));
}

TEST(Conformance, EveryCaseIsDocumentedAndNamedOnce) {
  std::set<std::string> names;
  for (const Case* one : AllCases()) {
    const std::string name = one->name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_NE(name.find('/'), std::string::npos) << name;
    EXPECT_TRUE(std::string_view(one->section).starts_with("RFC ")) << name;
    EXPECT_NE(std::string_view(one->sends), "") << name;
    EXPECT_NE(std::string_view(one->asks), "") << name;
    EXPECT_NE(one->run, nullptr) << name;
  }
  EXPECT_GE(names.size(), 120u);
}

TEST(Conformance, SelectsNamesGroupsAndPatterns) {
  std::string unknown;
  EXPECT_EQ(Select({"control/echo"}, &unknown).size(), 1u);
  const size_t group = Select({"ipcp"}, &unknown).size();
  EXPECT_GT(group, 5u);
  EXPECT_EQ(Select({"ipcp/*"}, &unknown).size(), group);
  EXPECT_EQ(Select({"ipcp", "ipcp/terminate"}, &unknown).size(), group) << "each once";
  EXPECT_EQ(Select({}, &unknown).size(), AllCases().size());
  EXPECT_EQ(unknown, "");
  EXPECT_TRUE(Select({"no-such"}, &unknown).empty());
  EXPECT_EQ(unknown, "no-such");
}

std::vector<Outcome> Outcomes() {
  static constexpr Case kA = {"control/a", "RFC 1 s1", "sends <a>", "asks", 0, 0, nullptr};
  static constexpr Case kB = {"gre/b", "RFC 2 s2", "sends b|c", "asks", 0, 0, nullptr};
  return {{&kA, Violates("bad & \x01"), 0.5},
          {&kB, Fine("good"), 0.25},
          {&kA, Departs("odd", "Linux"), 0},
          {&kB, {Verdict::kSkipped, "why"}, 0}};
}

TEST(ConformanceReport, TotalsAndLines) {
  const std::vector<Outcome> outcomes = Outcomes();
  EXPECT_EQ(FormatTotals(Count(outcomes)),
            "4 cases: 1 fine, 1 depart as others do, 1 violate the RFC, 1 skipped");
  EXPECT_THAT(FormatLine(outcomes[0]), HasSubstr("bad & \\x01"));
  EXPECT_THAT(FormatLine(outcomes[2]), HasSubstr("odd (as Linux)"));
  EXPECT_THAT(FormatList({outcomes[0].tried, outcomes[1].tried}),
              testing::ContainsRegex("^control/a .*\ngre/b .*\n$"));
}

TEST(ConformanceReport, Json) {
  const Survey survey{.host_name = "host", .vendor = "vendor\n", .firmware = 3, .offers = 0};
  const auto json = nlohmann::json::parse(FormatJson("192.0.2.1:1723", survey, Outcomes()));
  EXPECT_EQ(json["server"], "192.0.2.1:1723");
  EXPECT_EQ(json["vendor"], "vendor\\x0a");
  EXPECT_EQ(json["totals"]["violates"], 1);
  ASSERT_EQ(json["cases"].size(), 4u);
  EXPECT_EQ(json["cases"][0]["verdict"], "violates");
  EXPECT_EQ(json["cases"][1]["name"], "gre/b");
  EXPECT_EQ(json["cases"][3]["came_back"], "why");
}

TEST(ConformanceReport, Junit) {
  const std::string xml = FormatJunit("192.0.2.1:1723", Outcomes());
  EXPECT_THAT(xml, HasSubstr("tests=\"4\" failures=\"1\" skipped=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"bad &amp; \\x01\">"));
  EXPECT_THAT(xml, HasSubstr("sent sends &lt;a&gt;"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"why\"/>"));
  EXPECT_THAT(xml, HasSubstr("</testsuite>\n"));
}

TEST(ConformanceReport, MarkdownKeepsItsColumns) {
  const std::string text = FormatMarkdown({}, Outcomes());
  EXPECT_THAT(text, HasSubstr("| gre/b | RFC 2 s2 | sends b\\|c | asks | good | fine |\n"));
}

}  // namespace
}  // namespace culvert::load::conformance
