#include "tools/load/report/report.h"

#include <absl/strings/str_split.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "tools/load/report/plot.h"
#include "tools/load/run/show.h"

namespace culvert::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Run is what the report is made of: 4 calls asked, 3 up, two of them with packets.
class ReportTest : public ::testing::Test {
 protected:
  ReportTest() : calls_(4) {
    accounts_.push_back({.user = "one", .nt_hash = {}});
    accounts_.push_back({.user = "two", .nt_hash = {}});
    tally_.asked = 4;
    tally_.established = 3;
    tally_.Fail(Stage::kAuthentication, "the server refuses the password");
    tally_.Disconnect("Call-Disconnect-Notify: admin shutdown");
    tally_.setup.Add(5000);
    tally_.stages[static_cast<size_t>(Stage::kLink)].Add(1000);
    for (uint32_t i = 0; i < calls_.size(); ++i) {
      calls_[i].index = i;
    }
    Fill(&calls_[1].traffic, 100, 100, 90, 88);
    Fill(&calls_[3].traffic, 100, 95, 95, 95);
    calls_[3].traffic.has_report = false;
    calls_[3].traffic.up_octets = 5000;
    calls_[3].traffic.sink.octets = 4900;
    calls_[3].traffic.down_late = 2;
    for (const double setups : {1.0, 2.0, 0.0}) {
      v1::Sample sample;
      sample.set_second(static_cast<double>(samples_.size()) + 1);
      sample.set_setups(setups);
      samples_.push_back(sample);
    }
  }
  static void Fill(Traffic* traffic, uint64_t up, uint64_t up_received, uint32_t down,
                   uint64_t down_received) {
    traffic->up_packets = up;
    traffic->sink.packets = up_received;
    traffic->sink.answers = down;
    traffic->down_packets = down_received;
    traffic->has_report = true;
  }
  [[nodiscard]] Report Make() const {
    return MakeReport(plan_, tally_, calls_, accounts_, samples_, {3, 2.0, 3});
  }

  Plan plan_;
  Tally tally_;
  std::vector<Call> calls_;
  std::vector<client_role::Account> accounts_;
  std::vector<v1::Sample> samples_;
};

TEST_F(ReportTest, SumsDirectionsAndNamesTheWorstCalls) {
  const Report report = Make();
  EXPECT_EQ(report.up().sent(), 200);
  EXPECT_EQ(report.up().lost(), 5);
  EXPECT_EQ(report.up().loss_percent(), 2.5);
  EXPECT_EQ(report.down().sent(), 185);
  EXPECT_EQ(report.down().lost(), 2);
  EXPECT_EQ(report.calls_without_sink_report(), 1);
  ASSERT_EQ(report.worst_calls_size(), 2);
  EXPECT_EQ(report.worst_calls(0).call(), 3u);
  EXPECT_EQ(report.worst_calls(0).user(), "two");
  EXPECT_EQ(report.setups_per_second().avg(), 1.5);
  EXPECT_EQ(report.setups_per_second().min(), 1);
  EXPECT_EQ(report.setups_per_second().max(), 2);
  EXPECT_TRUE(report.held()) << "there are no limits";
}

// Calls that are added over the control socket come up later; they make the server no faster.
TEST_F(ReportTest, TheSetUpRateIsOfTheDiallingOnly) {
  tally_.established = 1003;
  plan_.set_min_setup_rate(2);
  const Report report = Make();
  EXPECT_EQ(report.setups_per_second().avg(), 1.5);
  EXPECT_FALSE(report.held());
}

TEST_F(ReportTest, JsonHoldsWhateverAUserIsCalled) {
  accounts_[1].user = "J\xf6rg";
  v1::Report parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(ReportJson(Make()), &parsed).ok());
  ASSERT_EQ(parsed.worst_calls_size(), 2);
  EXPECT_EQ(parsed.worst_calls(0).user(), "J\\xf6rg");
}

TEST_F(ReportTest, SaysWhichLimitsDoNotHold) {
  plan_.set_max_failed(2);
  plan_.set_max_loss(2.5);
  plan_.set_min_setup_rate(1.5);
  EXPECT_TRUE(Make().held()) << "each just so";
  plan_.set_max_failed(1);
  plan_.set_max_loss(2);
  plan_.set_min_setup_rate(1.6);
  const Report report = Make();
  EXPECT_FALSE(report.held());
  EXPECT_THAT(report.limits_not_held(),
              ElementsAre(HasSubstr("max_failed: 2"), HasSubstr("max_loss: 2.5000 % lost up"),
                          HasSubstr("min_setup_rate: 1.5")));
}

TEST_F(ReportTest, TextAndJsonHaveReasons) {
  const std::string text = ReportText(Make());
  EXPECT_THAT(text, HasSubstr("4 asked, 3 established, 1 failed, 1 ended early"));
  EXPECT_THAT(text, HasSubstr("1 x authentication: the server refuses the password"));
  EXPECT_THAT(text, HasSubstr("1 x up: Call-Disconnect-Notify: admin shutdown"));
  EXPECT_THAT(text, HasSubstr("octets up: 5000 sent, 4900 received"));
  EXPECT_THAT(text, HasSubstr("call 3 (two): up 5 of 100 lost; down 0 of 95 lost, 2 late"));
  EXPECT_THAT(text, Not(HasSubstr("NOT HELD")));
  v1::Report parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(ReportJson(Make()), &parsed).ok());
  EXPECT_EQ(parsed.SerializeAsString(), Make().SerializeAsString());
}

TEST_F(ReportTest, PlotHasEachCurve) {
  const std::string svg = Plot(Make());
  size_t num = 0;
  for (size_t at = 0; (at = svg.find("<polyline", at)) != std::string::npos; ++at) {
    ++num;
  }
  EXPECT_EQ(num, 7u);
  EXPECT_THAT(Plot(Report()), HasSubstr("</svg>")) << "nothing to draw";
}

TEST_F(ReportTest, LineAndScreenShowTheSecond) {
  plan_.set_calls(4);
  plan_.set_sink("10.0.0.1:5011");
  v1::Sample sample;
  sample.set_second(7);
  sample.set_calls_up(2);
  sample.set_up_packets(10);
  EXPECT_THAT(Line(plan_, tally_, sample), HasSubstr("7 s  up 2 of 4  failed 2"));
  const std::string screen = Screen(plan_, tally_, sample, 80);
  EXPECT_THAT(screen, HasSubstr("[##################..................] 2 of 4 calls up   0:07"));
  EXPECT_THAT(screen, HasSubstr("10 packets/s"));
}

// A line that wraps would leave its rest behind when the screen is drawn anew.
TEST_F(ReportTest, ScreenFitsIntoTheTerminal) {
  plan_.set_calls(1'000'000);
  plan_.set_sink("10.0.0.1:5011");
  tally_.calls.fill(1'000'000);
  tally_.up_packets = tally_.failed = 1'000'000'000'000;
  v1::Sample sample;
  sample.set_second(3600 * 99 + 61);
  sample.set_calls_up(1'000'000);
  sample.set_up_packets(1e9);
  for (const size_t columns : {20, 80, 120, 300}) {
    const std::string screen = Screen(plan_, tally_, sample, columns);
    for (const absl::string_view line : absl::StrSplit(screen, '\n')) {
      EXPECT_LE(line.size(), columns) << line;
    }
    EXPECT_THAT(screen, columns < 80 ? HasSubstr("[") : HasSubstr("1000000 calls up   99:01:01"));
  }
}

}  // namespace
}  // namespace culvert::load
