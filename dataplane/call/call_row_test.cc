#include "dataplane/call/call_row.h"

#include <gtest/gtest.h>

namespace culvert::dataplane {
namespace {

TEST(CallRowTest, GivesBackWhatWasAskedForButTheKeys) {
  CallSpec spec;
  spec.peer_address = 1;
  spec.peer_call_id = 2;
  spec.send_acfc = spec.require_encryption = true;
  spec.peer_mru = 3;
  spec.mtu = 4;
  spec.client_address = 5;
  spec.receive = MppeKeySpec{.bits = 128, .epoch = 6, .start_key = {7}, .stateful = true};
  spec.send = MppeKeySpec{.bits = 40, .epoch = 8, .start_key = {9}};
  spec.receive_window = 10;
  spec.peer_window = 11;
  spec.reorder = {.packets = 12, .delay_ms = 13};
  spec.outer = {.dont_fragment = true, .copy_dscp = true, .dscp = 14};
  spec.keepalive = {.enabled = true, .interval_s = 15, .misses = 16, .magic = 17, .peer_magic = 18};
  spec.idle_timeout_s = 19;
  spec.record = std::string("a\0b", 3);
  CallRow row{};
  ASSERT_TRUE(row.Pack(spec));
  const CallSpec plain = row.Unpack();
  EXPECT_EQ(plain.peer_address, 1U);
  EXPECT_EQ(plain.peer_call_id, 2U);
  EXPECT_TRUE(plain.send_acfc && plain.require_encryption && !plain.send_pfc);
  EXPECT_EQ(plain.peer_mru, 3U);
  EXPECT_EQ(plain.mtu, 4U);
  EXPECT_EQ(plain.client_address, 5U);
  ASSERT_TRUE(plain.receive && plain.send);
  EXPECT_TRUE(plain.receive->bits == 128 && plain.receive->epoch == 6 && plain.receive->stateful);
  EXPECT_TRUE(plain.send->bits == 40 && plain.send->epoch == 8 && !plain.send->stateful);
  EXPECT_EQ(plain.receive->start_key[0] | plain.send->start_key[0], 0);
  EXPECT_EQ(plain.receive_window, 10U);
  EXPECT_EQ(plain.peer_window, 11U);
  EXPECT_TRUE(plain.reorder.packets == 12 && plain.reorder.delay_ms == 13);
  EXPECT_TRUE(plain.outer.dont_fragment && plain.outer.copy_dscp && plain.outer.dscp == 14);
  EXPECT_TRUE(plain.keepalive.enabled && plain.keepalive.interval_s == 15 &&
              plain.keepalive.misses == 16 && plain.keepalive.magic == 17 &&
              plain.keepalive.peer_magic == 18);
  EXPECT_EQ(plain.idle_timeout_s, 19U);
  EXPECT_EQ(plain.record, spec.record);
  EXPECT_TRUE(plain.routes.empty() && plain.octet_quota == 0 && !plain.ipv6.enabled);
  row.Clear();
  EXPECT_FALSE(row.Unpack().receive);
}

TEST(CallRowTest, GivesBackWhatFewCallsHave) {
  CallSpec spec;
  spec.upstream_policer = {1, 2, 3, 4};
  spec.downstream_policer = {5, 6, 7, 8};
  spec.octet_quota = 9;
  spec.ipv6 = {.enabled = true, .interface_id = 10, .prefix = {{0x20, 1}, 64, true}};
  spec.routes = {{{192, 0, 2}, 24, false}, {{198, 51, 100}, 24, false}};
  CallRow row{};
  ASSERT_TRUE(row.Pack(spec));
  const CallSpec back = row.Unpack();
  EXPECT_EQ(back.upstream_policer.peak_bps, 2U);
  EXPECT_EQ(back.downstream_policer.excess_burst, 8U);
  EXPECT_EQ(back.octet_quota, 9U);
  EXPECT_TRUE(back.ipv6.enabled && back.ipv6.interface_id == 10 && back.ipv6.prefix.len == 64);
  ASSERT_EQ(back.routes.size(), 2U);
  EXPECT_EQ(back.routes[1].address[1], 51);
  ASSERT_TRUE(row.Pack(CallSpec{}));
  EXPECT_TRUE(row.Unpack().routes.empty());
  row.Clear();
}

TEST(CallRowsTest, FindsByIndexAndHandle) {
  CallRows rows;
  EXPECT_EQ(rows.Find(uint32_t{5}), nullptr);
  EXPECT_EQ(rows.Find(UINT32_MAX), nullptr);
  ASSERT_TRUE(rows.Allocate(15));
  const uint32_t index = CallTable::Index(15, 65535);
  EXPECT_EQ(rows.Find(index), nullptr);
  rows.At(index)->generation = 7;
  EXPECT_EQ(rows.Find(index), rows.At(index));
  EXPECT_EQ(rows.Find(MakeHandle(7, index)), rows.At(index));
  EXPECT_EQ(rows.Find(MakeHandle(6, index)), nullptr);
  int num = 0;
  rows.ForEach([&](uint32_t at, const CallRow&) { num += at == index ? 1 : 100; });
  EXPECT_EQ(num, 1);
}

}  // namespace
}  // namespace culvert::dataplane
