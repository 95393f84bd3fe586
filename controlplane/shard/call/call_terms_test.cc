#include "controlplane/shard/call/call_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace culvert {
namespace {

namespace v1 = dataplane::v1;

class CallTermsTest : public ::testing::Test {
 protected:
  v1::CallConfig Fill() {
    v1::CallConfig config;
    config.set_idle_timeout_s(600);  // the template's
    config.set_octet_quota(1000);
    terms_.Fill(&config);
    return config;
  }
  CallChanged Note() {
    return [this](const absl::StatusOr<CallRates>& rates) { answers_.push_back(rates); };
  }

  std::vector<std::string> dropped_;  // filters
  const CallRates listener_{.upstream_bps = 16'000, .downstream_bps = 0};
  CallTerms terms_{&listener_};
  std::vector<absl::StatusOr<CallRates>> answers_;
};

TEST_F(CallTermsTest, TheUserComesBeforeTheListener) {
  v1::CallConfig config = Fill();
  EXPECT_EQ(config.upstream_policer().committed_bps(), 16'000u);
  EXPECT_FALSE(config.has_downstream_policer());
  EXPECT_EQ(config.idle_timeout_s(), 600u);
  EXPECT_EQ(config.octet_quota(), 1000u);
  CallGrants grants;
  grants.upstream_bps = 0;
  grants.downstream_bps = 64'000;
  grants.idle_timeout_s = 5;
  grants.octet_quota = 0;
  terms_.SetGrants(grants);
  config = Fill();
  EXPECT_FALSE(config.has_upstream_policer()) << "0 is no limit";
  EXPECT_EQ(config.downstream_policer().committed_bps(), 64'000u);
  EXPECT_EQ(config.idle_timeout_s(), 5u);
  EXPECT_EQ(config.octet_quota(), 0u);
}

TEST_F(CallTermsTest, WhatTheDataPlaneWouldRefuseIsBroughtInReach) {
  CallGrants grants;
  grants.upstream_bps = 1;
  grants.downstream_bps = kMaxRateBps + 1;
  grants.idle_timeout_s = UINT32_MAX;
  grants.routes.resize(17, {.address = 0x0a000000, .length = 8});
  terms_.SetGrants(grants);
  const v1::CallConfig config = Fill();
  EXPECT_EQ(config.upstream_policer().committed_bps(), kMinRateBps);
  EXPECT_EQ(config.downstream_policer().committed_bps(), kMaxRateBps);
  EXPECT_EQ(config.idle_timeout_s(), kMaxIdleTimeoutS);
  EXPECT_EQ(config.routes_size(), 16);
}

TEST_F(CallTermsTest, AChangeHoldsWhenConfirmed) {
  terms_.Add({.upstream_bps = 32'000,
              .session_timeout_s = 60,
              .idle_timeout_s = 7,
              .octet_quota = 9,
              .interim_interval_s = 90,
              .classes = std::vector<std::vector<uint8_t>>{{1, 2}},
              .filter_id = "gold",
              .address_lists = "slow"},
             Note());
  const v1::CallConfig config = Fill();
  EXPECT_EQ(config.upstream_policer().committed_bps(), 32'000u);
  EXPECT_EQ(config.idle_timeout_s(), 7u);
  EXPECT_EQ(config.octet_quota(), 9u);
  EXPECT_EQ(terms_.rates().upstream_bps, 16'000u) << "not confirmed";
  EXPECT_TRUE(terms_.grants().filter_id.empty());
  EXPECT_TRUE(answers_.empty());
  EXPECT_TRUE(terms_.OnConfirmed());
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0]->upstream_bps, 32'000u);
  EXPECT_EQ(terms_.grants().session_timeout_s, 60u);
  EXPECT_EQ(terms_.grants().interim_interval_s, 90u);
  EXPECT_EQ(terms_.grants().classes, (std::vector<std::vector<uint8_t>>{{1, 2}}));
  EXPECT_EQ(terms_.grants().filter_id, "gold");
  EXPECT_EQ(terms_.grants().address_lists, "slow");
  EXPECT_FALSE(terms_.OnConfirmed()) << "nothing more was changed";
}

TEST_F(CallTermsTest, AUserWithNothingOfItsOwnHasTheDefaults) {
  EXPECT_EQ(terms_.grants(), CallGrants());
  CallGrants grants;
  grants.session_timeout_s = 9;
  terms_.SetGrants(grants);
  EXPECT_EQ(terms_.grants(), grants);
  terms_.SetGrants({});
  EXPECT_EQ(terms_.grants(), CallGrants());
  EXPECT_EQ(terms_.rates().upstream_bps, 16'000u);
}

TEST_F(CallTermsTest, ARefusedChangeLeavesNothingBehind) {
  terms_.Add({.upstream_bps = 32'000, .session_timeout_s = 60}, Note());
  Fill();
  EXPECT_TRUE(terms_.OnRefused(absl::InvalidArgumentError("no")));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].status(), absl::InvalidArgumentError("no"));
  EXPECT_EQ(Fill().upstream_policer().committed_bps(), 16'000u);
  EXPECT_FALSE(terms_.grants().session_timeout_s);
  EXPECT_FALSE(terms_.OnRefused(absl::InvalidArgumentError("no"))) << "no change was to blame";
}

TEST_F(CallTermsTest, AChangeDuringAnUpsertWaitsForTheNext) {
  terms_.Add({.upstream_bps = 32'000}, Note());
  Fill();
  terms_.Add({.upstream_bps = 48'000}, Note());
  EXPECT_TRUE(terms_.OnConfirmed());
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_EQ(terms_.rates().upstream_bps, 32'000u);
  EXPECT_EQ(Fill().upstream_policer().committed_bps(), 48'000u);
  EXPECT_TRUE(terms_.OnConfirmed());
  EXPECT_EQ(answers_.size(), 2u);
}

TEST_F(CallTermsTest, TheEndAnswersAll) {
  terms_.Add({.upstream_bps = 32'000}, Note());
  Fill();
  terms_.Add({.upstream_bps = 48'000}, Note());
  terms_.Abandon(absl::NotFoundError("gone"));
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ(answers_[1].status(), absl::NotFoundError("gone"));
}

TEST_F(CallTermsTest, ANewLoginHasTheLastWordOnWhatItSays) {
  terms_.Add({.upstream_bps = 32'000, .downstream_bps = 48'000, .filter_id = "gold"}, Note());
  Fill();
  terms_.OnConfirmed();
  CallGrants grants;
  grants.upstream_bps = 64'000;
  terms_.SetGrants(grants);
  EXPECT_EQ(terms_.rates().upstream_bps, 64'000u);
  EXPECT_EQ(terms_.rates().downstream_bps, 48'000u);
  EXPECT_EQ(terms_.grants().filter_id, "gold");
}

// The data plane is told to forget a filter only when it has no call with it any more.
TEST_F(CallTermsTest, AFilterIsHeldUntilTheDataPlaneHasAnother) {
  const auto filter = [this](uint32_t id, const char* name) {
    return FilterHold(new HeldFilter{.id = id, .name = name}, [this](const HeldFilter* held) {
      dropped_.push_back(held->name);
      delete held;
    });
  };
  CallGrants grants;
  grants.filter = filter(5, "first");
  terms_.SetGrants(std::move(grants));
  EXPECT_EQ(Fill().filter(), 5u);
  EXPECT_FALSE(terms_.OnConfirmed());
  terms_.Add({.filter_id = "gold", .filter = filter(6, "gold")}, Note());
  EXPECT_EQ(Fill().filter(), 6u);
  EXPECT_TRUE(terms_.OnRefused(absl::InvalidArgumentError("no")));
  EXPECT_EQ(dropped_, std::vector<std::string>{});  // sent_filter_ has it still
  EXPECT_EQ(Fill().filter(), 5u);
  EXPECT_EQ(dropped_, std::vector<std::string>{"gold"});
  EXPECT_FALSE(terms_.OnConfirmed());
  terms_.Add({.filter = filter(7, "rules")}, Note());
  EXPECT_EQ(Fill().filter(), 7u);
  EXPECT_EQ(dropped_.size(), 1u);
  EXPECT_TRUE(terms_.OnConfirmed());
  EXPECT_EQ(dropped_.back(), "first");
  terms_.SetGrants({});
  EXPECT_EQ(Fill().filter(), 7u) << "a login that does not speak of it";
}

TEST(CallChangeTest, NamesWhatCannotBe) {
  EXPECT_TRUE(Check({}).ok());
  EXPECT_TRUE(Check({.upstream_bps = 0,
                     .downstream_bps = 8000,
                     .idle_timeout_s = 0,
                     .interim_interval_s = 60})
                  .ok());
  const std::pair<CallChange, const char*> wrong[] = {
      {{.upstream_bps = 7999}, "upstream_bps"},
      {{.downstream_bps = kMaxRateBps + 1}, "downstream_bps"},
      {{.idle_timeout_s = kMaxIdleTimeoutS + 1}, "idle_timeout_s"},
      {{.interim_interval_s = 59}, "interim_interval_s"},
  };
  for (const auto& [change, field] : wrong) {
    EXPECT_THAT(std::string(Check(change).message()), ::testing::StartsWith(field));
  }
}

}  // namespace
}  // namespace culvert
