#include "dataplane/service/convert/convert.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace culvert::dataplane {
namespace {

v1::CallConfig Good() {
  v1::CallConfig config;
  config.set_local_address(0xc0000201);
  config.set_call_id(7);
  config.set_peer_address(0xcb007105);
  config.set_peer_call_id(65535);
  config.set_peer_mru(1400);
  config.set_client_address(0x0a4d0002);
  config.set_receive_window(32);
  config.set_record("state");
  config.mutable_receive()->set_bits(128);
  config.mutable_receive()->set_start_key("0123456789abcdef");
  config.mutable_receive()->set_epoch(3);
  config.mutable_send()->set_bits(40);
  config.mutable_send()->set_start_key("01234567");
  return config;
}

TEST(Convert, TakesAWholeCall) {
  const auto spec = ToCallSpec(Good());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->local_address, 0xc0000201U);
  EXPECT_EQ(spec->call_id, 7);
  EXPECT_EQ(spec->peer_call_id, 65535);
  EXPECT_EQ(spec->peer_mru, 1400);
  EXPECT_EQ(spec->receive_window, 32);
  EXPECT_EQ(spec->record, "state");
  ASSERT_TRUE(spec->receive);
  EXPECT_EQ(spec->receive->bits, 128);
  EXPECT_EQ(spec->receive->epoch, 3U);
  EXPECT_EQ(spec->receive->start_key[15], 'f');
  ASSERT_TRUE(spec->send);
  EXPECT_EQ(spec->send->start_key[7], '7');
  EXPECT_EQ(spec->send->start_key[8], 0);
}

TEST(Convert, ZeroMeansTheDefault) {
  v1::CallConfig config = Good();
  config.set_peer_mru(0);
  config.set_receive_window(0);
  config.clear_receive();
  const auto spec = ToCallSpec(config);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->peer_mru, 1500);
  EXPECT_EQ(spec->receive_window, 64);
  EXPECT_FALSE(spec->receive);
}

struct BadCase {
  const char* field;
  std::function<void(v1::CallConfig*)> spoil;
};
class ConvertBad : public testing::TestWithParam<BadCase> {};

TEST_P(ConvertBad, NamesTheField) {
  v1::CallConfig config = Good();
  GetParam().spoil(&config);
  const auto spec = ToCallSpec(config);
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(spec.status().message());
  EXPECT_EQ(message.rfind(std::string(GetParam().field) + ":", 0), 0U) << message;
  EXPECT_EQ(message.find("0123456789abcdef"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, ConvertBad,
    testing::Values(
        BadCase{"local_address", [](v1::CallConfig* c) { c->set_local_address(0); }},
        BadCase{"peer_address", [](v1::CallConfig* c) { c->set_peer_address(0); }},
        BadCase{"call_id", [](v1::CallConfig* c) { c->set_call_id(0); }},
        BadCase{"call_id", [](v1::CallConfig* c) { c->set_call_id(65536); }},
        BadCase{"peer_call_id", [](v1::CallConfig* c) { c->set_peer_call_id(65536); }},
        BadCase{"peer_mru", [](v1::CallConfig* c) { c->set_peer_mru(67); }},
        BadCase{"peer_mru", [](v1::CallConfig* c) { c->set_peer_mru(65536); }},
        BadCase{"mtu", [](v1::CallConfig* c) { c->set_mtu(1); }},
        BadCase{"receive_window", [](v1::CallConfig* c) { c->set_receive_window(65536); }},
        BadCase{"record", [](v1::CallConfig* c) { c->set_record(std::string(1025, 'x')); }},
        BadCase{"receive.bits", [](v1::CallConfig* c) { c->mutable_receive()->set_bits(64); }},
        BadCase{"receive.start_key",
                [](v1::CallConfig* c) { c->mutable_receive()->set_start_key("01234567"); }},
        BadCase{"send.start_key",
                [](v1::CallConfig* c) { c->mutable_send()->set_start_key("0123456789abcdef"); }}));

TEST(Convert, WipesKeysInPlace) {
  v1::CallConfig config = Good();
  WipeKeys(&config);
  EXPECT_EQ(config.receive().start_key(), std::string(16, '\0'));
  EXPECT_EQ(config.send().start_key(), std::string(8, '\0'));
  auto spec = ToCallSpec(Good());
  WipeKeys(&*spec);
  EXPECT_EQ(spec->receive->start_key, (std::array<uint8_t, 16>{}));
  EXPECT_EQ(spec->send->start_key, (std::array<uint8_t, 16>{}));
}

TEST(Convert, EntriesCarryBitsButNeverKeys) {
  CallEntry entry;
  entry.spec = *ToCallSpec(Good());
  entry.worker = 1;
  entry.totals.upstream_octets = 5;
  v1::ListResponse::Entry out;
  FromEntry(entry, &out);
  EXPECT_EQ(out.config().receive().bits(), 128U);
  EXPECT_EQ(out.config().receive().epoch(), 3U);
  EXPECT_EQ(out.config().receive().start_key(), "");
  EXPECT_EQ(out.config().record(), "state");
  EXPECT_EQ(out.counters().upstream_octets(), 5U);
  EXPECT_EQ(out.worker(), 1U);
}

}  // namespace
}  // namespace culvert::dataplane
