#include "dataplane/service/convert/call_features.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "dataplane/service/convert/convert.h"

namespace culvert::dataplane {
namespace {

void SetPrefix(const std::string& address, uint32_t length, v1::Prefix* prefix) {
  prefix->set_address(address);
  prefix->set_length(length);
}

v1::CallConfig Identity() {
  v1::CallConfig config;
  config.set_local_address(0xc0000201);
  config.set_call_id(7);
  config.set_peer_address(0xcb007105);
  return config;
}

v1::CallConfig Everything() {
  v1::CallConfig config = Identity();
  SetPrefix({"\x0a\x09\x08\x00", 4}, 24, config.add_routes());
  SetPrefix({"\x20\x01\x0d\xb8\0\x01\0\0\0\0\0\0\0\0\0\0", 16}, 48, config.add_routes());
  config.mutable_ipv6()->set_interface_id(0x0123456789abcdef);
  SetPrefix({"\x20\x01\x0d\xb8\0\0\0\x40\0\0\0\0\0\0\0\0", 16}, 64,
            config.mutable_ipv6()->mutable_prefix());
  config.mutable_upstream_policer()->set_committed_bps(8000);
  config.mutable_downstream_policer()->set_committed_bps(80'000'000);
  config.mutable_downstream_policer()->set_peak_bps(90'000'000);
  config.mutable_downstream_policer()->set_committed_burst(20000);
  config.mutable_downstream_policer()->set_excess_burst(30000);
  config.mutable_keepalive()->set_interval_s(30);
  config.mutable_keepalive()->set_misses(3);
  config.mutable_keepalive()->set_magic(0x11223344);
  config.mutable_keepalive()->set_peer_magic(0x55667788);
  config.set_idle_timeout_s(600);
  config.set_octet_quota(1ULL << 40);
  config.mutable_reorder()->set_packets(64);
  config.mutable_reorder()->set_delay_ms(100);
  config.set_peer_window(33);
  config.set_filter(9);
  config.set_ack_delay_ms(40);
  config.mutable_outer()->set_dont_fragment(true);
  config.mutable_outer()->set_copy_dscp(true);
  config.mutable_outer()->set_dscp(46);
  config.mutable_receive()->set_bits(128);
  config.mutable_receive()->set_start_key("0123456789abcdef");
  config.mutable_receive()->set_stateful(true);
  return config;
}

TEST(CallFeatures, AreTaken) {
  const auto spec = ToCallSpec(Everything());
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->routes.size(), 2U);
  EXPECT_EQ(spec->routes[0].address[1], 9);
  EXPECT_EQ(spec->routes[0].len, 24);
  EXPECT_FALSE(spec->routes[0].is_ipv6);
  EXPECT_TRUE(spec->routes[1].is_ipv6);
  EXPECT_EQ(spec->routes[1].len, 48);
  EXPECT_TRUE(spec->ipv6.enabled);
  EXPECT_EQ(spec->ipv6.interface_id, 0x0123456789abcdefU);
  EXPECT_EQ(spec->ipv6.prefix.len, 64);
  EXPECT_EQ(spec->downstream_policer.peak_bps, 90'000'000U);
  EXPECT_EQ(spec->downstream_policer.excess_burst, 30000U);
  EXPECT_TRUE(spec->keepalive.enabled);
  EXPECT_EQ(spec->keepalive.misses, 3);
  EXPECT_EQ(spec->keepalive.peer_magic, 0x55667788U);
  EXPECT_EQ(spec->idle_timeout_s, 600U);
  EXPECT_EQ(spec->octet_quota, 1ULL << 40);
  EXPECT_EQ(spec->reorder.packets, 64);
  EXPECT_EQ(spec->reorder.delay_ms, 100);
  EXPECT_EQ(spec->peer_window, 33);
  EXPECT_TRUE(spec->outer.dont_fragment);
  EXPECT_TRUE(spec->outer.copy_dscp);
  EXPECT_EQ(spec->outer.dscp, 46);
  ASSERT_TRUE(spec->receive);
  EXPECT_TRUE(spec->receive->stateful);
}

TEST(CallFeatures, AbsentMeansTheDefault) {
  const auto spec = ToCallSpec(Identity());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_TRUE(spec->routes.empty());
  EXPECT_FALSE(spec->ipv6.enabled);
  EXPECT_FALSE(spec->keepalive.enabled);
  EXPECT_EQ(spec->upstream_policer.committed_bps, 0U);
  EXPECT_EQ(spec->reorder.packets, 16);
  EXPECT_EQ(spec->reorder.delay_ms, 20);
  EXPECT_EQ(spec->peer_window, 0);
  EXPECT_FALSE(spec->outer.dont_fragment);
  EXPECT_EQ(spec->idle_timeout_s, 0U);
}

TEST(CallFeatures, ZeroTurnsReorderingOffAndMissesToFour) {
  v1::CallConfig config = Identity();
  config.mutable_reorder();
  config.mutable_keepalive();
  const auto spec = ToCallSpec(config);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->reorder.packets, 0);
  EXPECT_TRUE(spec->keepalive.enabled);
  EXPECT_EQ(spec->keepalive.interval_s, 0);
  EXPECT_EQ(spec->keepalive.misses, 4);
}

TEST(CallFeatures, BurstsHaveADefault) {
  v1::CallConfig config = Identity();
  config.mutable_upstream_policer()->set_committed_bps(8000);
  config.mutable_downstream_policer()->set_committed_bps(80'000'000);
  const auto spec = ToCallSpec(config);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->upstream_policer.committed_burst, 10000U);
  EXPECT_EQ(spec->downstream_policer.committed_burst, 1'000'000U) << "a tenth of a second";
  EXPECT_EQ(spec->downstream_policer.excess_burst, 1'000'000U);
}

TEST(CallFeatures, ListGivesBackWhatWasSet) {
  v1::CallConfig config = Everything();
  CallEntry entry;
  entry.spec = *ToCallSpec(config);
  v1::ListResponse::Entry out;
  FromEntry(entry, &out);
  v1::CallConfig expected = config;
  expected.mutable_receive()->clear_start_key();
  expected.mutable_upstream_policer()->set_committed_burst(10000);
  expected.mutable_upstream_policer()->set_excess_burst(10000);
  expected.set_peer_mru(1500);
  expected.set_receive_window(64);
  EXPECT_EQ(out.config().DebugString(), expected.DebugString());
  // And what List gave can be programmed again.
  v1::CallConfig again = out.config();
  again.clear_receive();
  EXPECT_TRUE(ToCallSpec(again).ok());
}

struct BadFeature {
  const char* field;
  std::function<void(v1::CallConfig*)> spoil;
};
class CallFeaturesBad : public testing::TestWithParam<BadFeature> {};

TEST_P(CallFeaturesBad, NameTheField) {
  v1::CallConfig config = Everything();
  GetParam().spoil(&config);
  const auto spec = ToCallSpec(config);
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(spec.status().message());
  EXPECT_EQ(message.rfind(std::string(GetParam().field) + ":", 0), 0U) << message;
}

INSTANTIATE_TEST_SUITE_P(
    All, CallFeaturesBad,
    testing::Values(
        BadFeature{"routes",
                   [](v1::CallConfig* c) {
                     for (int i = 0; i < 15; ++i) *c->add_routes() = c->routes(0);
                   }},
        BadFeature{"routes[0].address",
                   [](v1::CallConfig* c) { c->mutable_routes(0)->set_address("12345"); }},
        BadFeature{"routes[0].address",
                   [](v1::CallConfig* c) { c->mutable_routes(0)->set_length(20); }},
        BadFeature{"routes[0].length",
                   [](v1::CallConfig* c) { c->mutable_routes(0)->set_length(33); }},
        BadFeature{"routes[0].length",
                   [](v1::CallConfig* c) { c->mutable_routes(0)->set_length(0); }},
        BadFeature{"routes[1].length",
                   [](v1::CallConfig* c) { c->mutable_routes(1)->set_length(129); }},
        BadFeature{"ipv6.interface_id",
                   [](v1::CallConfig* c) { c->mutable_ipv6()->set_interface_id(0); }},
        BadFeature{"ipv6.prefix.address",
                   [](v1::CallConfig* c) { *c->mutable_ipv6()->mutable_prefix() = c->routes(0); }},
        BadFeature{
            "upstream_policer.committed_bps",
            [](v1::CallConfig* c) { c->mutable_upstream_policer()->set_committed_bps(7999); }},
        BadFeature{
            "downstream_policer.committed_bps",
            [](v1::CallConfig* c) { c->mutable_downstream_policer()->clear_committed_bps(); }},
        BadFeature{
            "downstream_policer.peak_bps",
            [](v1::CallConfig* c) { c->mutable_downstream_policer()->set_peak_bps(79'999'999); }},
        BadFeature{
            "upstream_policer.committed_burst",
            [](v1::CallConfig* c) { c->mutable_upstream_policer()->set_committed_burst(1499); }},
        BadFeature{"downstream_policer.excess_burst",
                   [](v1::CallConfig* c) {
                     c->mutable_downstream_policer()->set_excess_burst(1ULL << 32);
                   }},
        BadFeature{"keepalive.interval_s",
                   [](v1::CallConfig* c) { c->mutable_keepalive()->set_interval_s(3601); }},
        BadFeature{"keepalive.misses",
                   [](v1::CallConfig* c) { c->mutable_keepalive()->set_misses(256); }},
        BadFeature{"idle_timeout_s", [](v1::CallConfig* c) { c->set_idle_timeout_s(2592001); }},
        BadFeature{"reorder.packets",
                   [](v1::CallConfig* c) { c->mutable_reorder()->set_packets(65); }},
        BadFeature{"reorder.delay_ms",
                   [](v1::CallConfig* c) { c->mutable_reorder()->set_delay_ms(101); }},
        BadFeature{"peer_window", [](v1::CallConfig* c) { c->set_peer_window(65536); }},
        BadFeature{"outer.dscp", [](v1::CallConfig* c) { c->mutable_outer()->set_dscp(64); }}));

}  // namespace
}  // namespace culvert::dataplane
