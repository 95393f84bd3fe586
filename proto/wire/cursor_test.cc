#include "proto/wire/cursor.h"

#include <gtest/gtest.h>

#include <array>

#include "proto/wire/byte_order.h"

namespace culvert::wire {
namespace {

TEST(Reader, ReadsBigEndian) {
  const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  Reader in(octets);
  EXPECT_EQ(in.U8(), 0x01);
  EXPECT_EQ(in.U16(), 0x0203);
  EXPECT_EQ(in.U32(), 0x04050607u);
  EXPECT_EQ(in.remaining(), 2u);
  EXPECT_EQ(in.Bytes(1)[0], 8);
  in.Skip(1);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0u);
}

TEST(Reader, AFailureChangesNothingAndStays) {
  const uint8_t octets[] = {1, 2, 3};
  Reader in(octets);
  EXPECT_EQ(in.U32(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.remaining(), 3u);
  EXPECT_EQ(in.U8(), 0);
  EXPECT_FALSE(in.ok());
  std::array<uint8_t, 2> out = {9, 9};
  in.CopyTo(out);
  EXPECT_EQ(out[0], 9);
}

TEST(Reader, CopyToFillsOrLeavesUntouched) {
  const uint8_t octets[] = {1, 2, 3};
  Reader in(octets);
  std::array<uint8_t, 2> out = {9, 9};
  in.CopyTo(out);
  EXPECT_EQ(out[1], 2);
  in.CopyTo(out);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(out[1], 2);
}

TEST(Reader, EmptyReadsAtTheEndAreFine) {
  Reader in({});
  EXPECT_TRUE(in.Bytes(0).empty());
  in.Skip(0);
  EXPECT_TRUE(in.ok());
  in.Skip(SIZE_MAX);
  EXPECT_FALSE(in.ok());
}

TEST(Writer, WritesBigEndianAndStopsAtTheEnd) {
  std::array<uint8_t, 8> octets{};
  Writer out(octets);
  out.U8(1);
  out.U16(0x0203);
  out.U32(0x04050607);
  EXPECT_TRUE(out.ok());
  out.U16(0xffff);
  EXPECT_FALSE(out.ok());
  EXPECT_EQ(out.size(), 7u);
  EXPECT_EQ(octets, (std::array<uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 0}));
  out.U8(0xff);  // there would be room, but a failure stays
  EXPECT_EQ(out.size(), 7u);
}

TEST(Writer, PatchReachesOnlyWhatWasWritten) {
  std::array<uint8_t, 4> octets{};
  Writer out(octets);
  out.Zeros(2);
  const uint8_t tail[] = {7};
  out.Bytes(tail);
  out.PatchU16(0, 0xabcd);
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(octets, (std::array<uint8_t, 4>{0xab, 0xcd, 7, 0}));
  out.PatchU16(2, 1);
  EXPECT_FALSE(out.ok());
  EXPECT_EQ(octets[2], 7);
}

TEST(ByteOrder, TypesHoldTheOctetsOfTheWire) {
  const Be32 address = Be32::FromHost(0x0a000001);
  uint8_t octets[4];
  std::memcpy(octets, &address, 4);
  EXPECT_EQ(octets[0], 0x0a);
  EXPECT_EQ(octets[3], 0x01);
  EXPECT_EQ(address.ToHost(), 0x0a000001u);
  EXPECT_EQ(Be32::FromRaw(address.Raw()), address);
  EXPECT_EQ(Be16::FromHost(0x1723).ToHost(), 0x1723);
}

TEST(ByteOrder, LoadAndStoreAtAnyAlignment) {
  uint8_t octets[8] = {};
  StoreBe16(octets + 1, 0x0102);
  StoreBe32(octets + 3, 0x03040506);
  EXPECT_EQ(octets[1], 1);
  EXPECT_EQ(octets[6], 6);
  EXPECT_EQ(LoadBe16(octets + 2), 0x0203);
  EXPECT_EQ(LoadBe32(octets + 2), 0x02030405u);
}

}  // namespace
}  // namespace culvert::wire
