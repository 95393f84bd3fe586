#include "tools/load/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace culvert::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FileWith(const std::string& text) {
  const std::string path = ::testing::TempDir() + "plan_test.toml";
  std::ofstream(path) << text;
  return path;
}

TEST(Plan, FlagsGoOverTheFileAndTheFileOverDefaults) {
  const LoadedPlan loaded = LoadPlan(
      FileWith("server = [\"10.0.0.1\"]\ncalls = 5\nrate = 7\nmax_loss = 0.5\n"
               "sink = \"10.3.0.1:5011\"\n"),
      {{"calls", {"9"}}, {"source", {"10.1.0.0/24", "10.2.0.1-10.2.0.9"}}, {"redial", {"true"}}});
  ASSERT_THAT(loaded.problems, ElementsAre());
  EXPECT_EQ(loaded.plan.calls(), 9u);
  EXPECT_EQ(loaded.plan.rate(), 7);
  EXPECT_EQ(loaded.plan.port(), 1723u);
  EXPECT_EQ(loaded.plan.source_size(), 2);
  EXPECT_TRUE(loaded.plan.redial());
  EXPECT_EQ(loaded.plan.max_loss(), 0.5);
  EXPECT_FALSE(loaded.plan.has_max_failed());
}

TEST(Plan, EachMistakeIsALine) {
  const struct {
    std::string text;
    Flags flags;
    std::string problem;
  } kCases[] = {
      {"", {}, "--server"},
      {"server = [\"10.0.0.1\"]\nrates = 5", {}, "did you mean \"rate\"?"},
      {"server = \"10.0.0.1\"", {}, "must be an array"},
      {"", {{"server", {"nowhere"}}}, "--server: \"nowhere\" is not an IPv4 address"},
      {"", {{"server", {"10.0.0.1"}}, {"calls", {"many"}}}, "--calls: must be an integer"},
      {"", {{"server", {"10.0.0.1"}}, {"calls", {"99999999999999999999"}}}, "--calls: must be"},
      {"", {{"server", {"10.0.0.1"}}, {"rate", {"1e999"}}}, "--rate: must be"},
      {"", {{"server", {"10.0.0.1"}}, {"setup_timeout_seconds", {"0"}}}, "--setup-timeout"},
      {"", {{"server", {"10.0.0.1"}}, {"calls", {"0"}}}, "--calls: 0 is out of range"},
      {"", {{"server", {"10.0.0.1"}}, {"rate", {"0"}}}, "--rate"},
      {"", {{"server", {"10.0.0.1"}}, {"mppe", {"41"}}}, "--mppe"},
      {"", {{"server", {"10.0.0.1"}}, {"auth", {"pap"}}}, "pap gives no keys"},
      {"", {{"server", {"10.0.0.1"}}, {"auth", {"chap"}}}, "is not one of"},
      {"", {{"server", {"10.0.0.1"}}, {"max_loss", {"1"}}}, "--sink"},
      {"", {{"server", {"10.0.0.1"}}, {"user", {"a\"b\n"}}}, "control character"},
  };
  for (const auto& one : kCases) {
    const LoadedPlan loaded = LoadPlan(FileWith(one.text), one.flags);
    ASSERT_EQ(loaded.problems.size(), 1u) << one.problem;
    EXPECT_THAT(loaded.problems[0], HasSubstr(one.problem));
  }
  for (const std::string path : {"/nowhere/plan.toml", "/tmp"}) {
    EXPECT_THAT(LoadPlan(path, {}).problems, ElementsAre(HasSubstr("cannot be read"))) << path;
  }
}

TEST(Plan, NumbersOfFlagsNeedNotBeToml) {
  for (const auto& [text, value] : {std::pair(".5", 0.5), {"5.", 5}, {"007", 7}, {"1e3", 1000}}) {
    const LoadedPlan loaded =
        LoadPlan("", {{"server", {"10.0.0.1"}}, {"rate", {text}}, {"calls", {"010"}}});
    EXPECT_THAT(loaded.problems, ElementsAre()) << text;
    EXPECT_EQ(loaded.plan.rate(), value);
    EXPECT_EQ(loaded.plan.calls(), 10u);
  }
}

TEST(Plan, SecretsAreNotShown) {
  const LoadedPlan loaded =
      LoadPlan("", {{"server", {"10.0.0.1"}}, {"password", {std::string(300, 'x')}}});
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_THAT(loaded.problems[0], ::testing::Not(HasSubstr("xxx")));
}

TEST(Plan, AccountsOfAPattern) {
  Plan plan;
  plan.set_calls(3);
  plan.set_user("a%db");
  plan.set_password("secret");
  Accounts made = MakeAccounts(plan);
  ASSERT_EQ(made.accounts.size(), 3u);
  EXPECT_EQ(made.accounts[2].user, "a2b");
  plan.set_users(2);
  EXPECT_EQ(MakeAccounts(plan).accounts.size(), 2u);
  plan.set_user("one");
  made = MakeAccounts(plan);
  ASSERT_EQ(made.accounts.size(), 1u);
  EXPECT_EQ(made.accounts[0].user, "one");
}

TEST(Plan, AccountsOfAFile) {
  Plan plan;
  plan.set_user_file(FileWith("# users\nann:a:b\r\n\r\nbob:\n"));
  const Accounts made = MakeAccounts(plan);
  EXPECT_EQ(made.problem, "");
  ASSERT_EQ(made.accounts.size(), 2u);
  EXPECT_EQ(made.accounts[0].user, "ann");
  const std::string_view password = "a:b";
  EXPECT_TRUE(made.accounts[0].password.Equals(
      {reinterpret_cast<const uint8_t*>(password.data()), password.size()}));
  plan.set_user_file(FileWith("ann:x\nnobody\n"));
  EXPECT_THAT(MakeAccounts(plan).problem, HasSubstr(":2: not user:password"));
  plan.set_user_file("/nowhere");
  EXPECT_THAT(MakeAccounts(plan).problem, HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace culvert::load
