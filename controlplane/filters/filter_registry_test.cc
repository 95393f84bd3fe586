#include "controlplane/filters/filter_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace culvert::filters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FilterRegistryTest : public ::testing::Test {
 protected:
  FilterRegistryTest() {
    registry_.OnDataplaneUp();
    TakeAsked();
  }
  // What was asked of the data plane since: "+id" and "-id".
  std::vector<std::string> TakeAsked() { return std::exchange(asked_, {}); }
  FilterHold Held(std::string_view name, std::string_view rules = "") {
    auto hold = registry_.Resolve(name, rules);
    EXPECT_TRUE(hold.ok()) << hold.status();
    return hold.ok() ? *hold : nullptr;
  }
  uint64_t Read(std::string_view name, std::string_view label) {
    std::vector<Reading> readings;
    registry_.AddReadings(readings);
    for (const Reading& reading : readings) {
      if (reading.name == name && reading.labels[0].second == label) return reading.value;
    }
    ADD_FAILURE() << name << " " << label;
    return 0;
  }

  std::vector<std::string> asked_;
  FilterRegistry registry_{
      {{.name = "web", .rules = {"permit in tcp from any to any 80"}},
       {.name = "open", .rules = {"permit in ip from any to any"}}},
      "open",
      [this](const dataplane::v1::Operation& operation, const FilterRegistry::Answered& answered) {
        asked_.push_back(operation.has_upsert_filter()
                             ? "+" + std::to_string(operation.upsert_filter().id())
                             : "-" + std::to_string(operation.remove_filter()));
        answered(dataplane::v1::Result());
      }};
};

constexpr char kRule[] = "deny out ip from 192.0.2.1 to any";

TEST_F(FilterRegistryTest, NamesAndTheDefault) {
  EXPECT_EQ(Held("web")->id, 1U);
  EXPECT_EQ(Held("web")->name, "web");
  EXPECT_EQ(Held("")->name, "open");
  const auto unknown = registry_.Resolve("gold\n", "");
  EXPECT_EQ(unknown.status(), absl::InvalidArgumentError("there is no filter named \"gold\\x0a\""));
  EXPECT_EQ(Read("filters_refused_total", "unknown"), 1U);
  EXPECT_THAT(TakeAsked(), IsEmpty());
}

TEST_F(FilterRegistryTest, WithoutFiltersNamesAreForHooks) {
  FilterRegistry none({}, "", [](const auto&, const auto&) {});
  EXPECT_EQ(*none.Resolve("gold", ""), nullptr);
  EXPECT_EQ(*none.Resolve("", ""), nullptr);
  EXPECT_EQ((*none.Resolve("gold", kRule))->id, 1U);
}

TEST_F(FilterRegistryTest, SameRulesAreOneFilterWhileItIsHeld) {
  FilterHold one = Held("web", kRule);
  EXPECT_EQ(one->id, 3U);
  EXPECT_EQ(one->name, "NAS-Filter-Rule");
  FilterHold two = Held("", std::string("\0", 1) + kRule + std::string("\0", 1));
  FilterHold other = Held("", "permit in ip from any to any");
  EXPECT_EQ(two->id, 3U);
  EXPECT_EQ(other->id, 4U);
  EXPECT_THAT(TakeAsked(), ElementsAre("+3", "+4"));
  EXPECT_EQ(Read("filters", "radius"), 2U);
  one.reset();
  EXPECT_THAT(TakeAsked(), IsEmpty());
  two.reset();
  EXPECT_THAT(TakeAsked(), ElementsAre("-3"));
  EXPECT_EQ(Held("", "deny in ip from any to 192.0.2.9")->id, 3U);
  EXPECT_THAT(TakeAsked(), ElementsAre("+3", "-3"));
}

TEST_F(FilterRegistryTest, WrongRulesAreRefused) {
  const auto wrong = registry_.Resolve("web", "permit in ip from any to any frag");
  EXPECT_EQ(wrong.status(),
            absl::InvalidArgumentError("NAS-Filter-Rule: \"permit in ip from any to any frag\": "
                                       "\"frag\" must be left out: it is not supported"));
  EXPECT_EQ(Read("filters_refused_total", "rules"), 1U);
}

TEST_F(FilterRegistryTest, ThereAreAtMost1023) {
  std::vector<FilterHold> holds;
  const auto rule = [](int i) { return "deny in udp from any to any " + std::to_string(i); };
  for (int i = 1; i <= 1021; ++i) holds.push_back(Held("", rule(i)));
  EXPECT_EQ(registry_.Resolve("", rule(2000)).status(),
            absl::ResourceExhaustedError("NAS-Filter-Rule: calls have 1023 filters already"));
  EXPECT_NE(Held("", rule(7)), nullptr);
  EXPECT_EQ(Read("filters_refused_total", "limit"), 1U);
  holds.pop_back();
  EXPECT_EQ(Held("", rule(2000))->id, 1023U);
}

TEST_F(FilterRegistryTest, ADataPlaneThatIsBackGetsAllAndForgetsTheRest) {
  const FilterHold hold = Held("", kRule);
  TakeAsked();
  registry_.OnDataplaneUp();
  const std::vector<std::string> asked = TakeAsked();
  ASSERT_EQ(asked.size(), 1023U);
  EXPECT_EQ(asked[0], "-1023");
  EXPECT_EQ(asked[1019], "-4");
  EXPECT_THAT(std::vector(asked.begin() + 1020, asked.end()), ElementsAre("+2", "+1", "+3"));
}

TEST_F(FilterRegistryTest, RulesChangeForTheCallsThatHaveThem) {
  FilterHold web = Held("web"), open = Held("open");
  TakeAsked();
  registry_.Reconfigure({{.name = "web", .rules = {"deny in ip from any to any"}},
                         {.name = "new", .rules = {"permit in ip from any to any"}}},
                        "new");
  EXPECT_THAT(TakeAsked(), ElementsAre("+1", "+3"));
  EXPECT_EQ(Held("web"), web);
  EXPECT_EQ(Held("")->id, 3U);
  EXPECT_FALSE(registry_.Resolve("open", "").ok()) << "calls that have it keep it";
  registry_.Reconfigure({{.name = "open", .rules = {"permit in ip from any to any"}}}, "");
  EXPECT_THAT(TakeAsked(), ElementsAre("-3", "+2")) << "no call has the one named new";
  EXPECT_EQ(Held("open"), open);
  EXPECT_EQ(Held(""), nullptr);
  EXPECT_TRUE(registry_.HasNamed());
  web.reset();
  open.reset();
  registry_.Reconfigure({}, "");
  EXPECT_FALSE(registry_.HasNamed());
  EXPECT_THAT(TakeAsked(), UnorderedElementsAre("-1", "-2"));
  registry_.Reconfigure({{.name = "again", .rules = {"permit in ip from any to any"}}}, "");
  EXPECT_LE(Held("again")->id, 3U) << "numbers come back";
}

TEST_F(FilterRegistryTest, AfterStopNothingIsAskedAnyMore) {
  FilterHold hold = Held("", kRule);
  TakeAsked();
  registry_.Stop();
  hold.reset();
  registry_.OnDataplaneUp();
  EXPECT_THAT(TakeAsked(), IsEmpty());
}

}  // namespace
}  // namespace culvert::filters
