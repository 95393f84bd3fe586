#include "tools/load/packet/probe.h"

#include <gtest/gtest.h>

#include <vector>

namespace culvert::load {
namespace {

const Probe kProbe{.kind = ProbeKind::kData,
                   .answers = 3,
                   .answer_len = 1000,
                   .run = 0x01020304,
                   .call = 77,
                   .sequence = 0xfffffffe,
                   .sent_ns = 0x1122334455667788};
const SinkCounts kCounts{.packets = 1,
                         .octets = 0x200000002,
                         .late = 3,
                         .duplicated = 4,
                         .corrupted = 5,
                         .answers = 6,
                         .answer_octets = 0x700000007};

TEST(Probe, GoesThroughOctetsAndBack) {
  for (const size_t len : {kProbeLen, kProbeLen + 1, size_t{1400}}) {
    std::vector<uint8_t> octets(len);
    EmitProbe(kProbe, nullptr, octets);
    const Parsed parsed = ParseProbe(octets);
    EXPECT_FALSE(parsed.error.has_value()) << len;
    EXPECT_EQ(parsed.probe, kProbe) << len;
  }
}

TEST(Probe, ReportHasCounts) {
  Probe report = kProbe;
  report.kind = ProbeKind::kReport;
  std::vector<uint8_t> octets(kReportLen);
  EmitProbe(report, &kCounts, octets);
  const Parsed parsed = ParseProbe(octets);
  EXPECT_FALSE(parsed.error.has_value());
  EXPECT_EQ(parsed.counts, kCounts);
  for (size_t len = 0; len < octets.size(); ++len) {
    EXPECT_TRUE(ParseProbe(std::span(octets).first(len)).error.has_value()) << len;
  }
}

TEST(Probe, EveryFlippedBitIsSeen) {
  std::vector<uint8_t> octets(100);
  EmitProbe(kProbe, nullptr, octets);
  for (size_t bit = 0; bit < octets.size() * 8; ++bit) {
    octets[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Parsed parsed = ParseProbe(octets);
    if (bit >= 32) {
      EXPECT_EQ(parsed.error, ProbeError::kCorrupted) << bit;
    } else {
      EXPECT_EQ(parsed.error, ProbeError::kNotOurs) << bit;
    }
    octets[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

}  // namespace
}  // namespace culvert::load
