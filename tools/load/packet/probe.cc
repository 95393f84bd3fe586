#include "tools/load/packet/probe.h"

#include <rte_hash_crc.h>

#include <algorithm>
#include <cstring>

#include "proto/wire/byte_order.h"

namespace culvert::load {

using wire::LoadBe16;
using wire::LoadBe32;
using wire::StoreBe16;
using wire::StoreBe32;

namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kChecksumAt = 32;
constexpr uint8_t kPattern = 0x5a;

uint64_t LoadBe64(const uint8_t* at) { return uint64_t{LoadBe32(at)} << 32 | LoadBe32(at + 4); }
void StoreBe64(uint8_t* at, uint64_t value) {
  StoreBe32(at, static_cast<uint32_t>(value >> 32));
  StoreBe32(at + 4, static_cast<uint32_t>(value));
}

// Crc goes on with CRC-32C. (rte_hash_crc itself wants aligned data.)
uint32_t Crc(std::span<const uint8_t> data, uint32_t crc) {
  size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, &data[at], sizeof word);
    crc = rte_hash_crc_8byte(word, crc);
  }
  for (; at < data.size(); ++at) {
    crc = rte_hash_crc_1byte(data[at], crc);
  }
  return crc;
}

// Checksum takes its own field as left out.
uint32_t Checksum(std::span<const uint8_t> payload) {
  return ~Crc(payload.subspan(kProbeLen), Crc(payload.first(kChecksumAt), 0xffffffff));
}

void EmitCounts(const SinkCounts& counts, uint8_t* out) {
  StoreBe64(out, counts.packets);
  StoreBe64(out + 8, counts.octets);
  StoreBe32(out + 16, counts.late);
  StoreBe32(out + 20, counts.duplicated);
  StoreBe32(out + 24, counts.corrupted);
  StoreBe32(out + 28, counts.answers);
  StoreBe64(out + 32, counts.answer_octets);
}

SinkCounts ParseCounts(const uint8_t* in) {
  return {.packets = LoadBe64(in),
          .octets = LoadBe64(in + 8),
          .late = LoadBe32(in + 16),
          .duplicated = LoadBe32(in + 20),
          .corrupted = LoadBe32(in + 24),
          .answers = LoadBe32(in + 28),
          .answer_octets = LoadBe64(in + 32)};
}

}  // namespace

void EmitProbe(const Probe& probe, const SinkCounts* counts, std::span<uint8_t> out) {
  StoreBe32(out.data(), kProbeMagic);
  out[4] = kVersion;
  out[5] = static_cast<uint8_t>(probe.kind);
  StoreBe16(&out[6], probe.answers);
  StoreBe32(&out[8], probe.run);
  StoreBe32(&out[12], probe.call);
  StoreBe32(&out[16], probe.sequence);
  StoreBe16(&out[20], probe.answer_len);
  StoreBe16(&out[22], 0);
  StoreBe64(&out[24], probe.sent_ns);
  size_t end = kProbeLen;
  if (counts != nullptr) {
    EmitCounts(*counts, &out[kProbeLen]);
    end = kReportLen;
  }
  std::fill(out.begin() + static_cast<ptrdiff_t>(end), out.end(), kPattern);
  StoreBe32(&out[kChecksumAt], Checksum(out));
}

Parsed ParseProbe(std::span<const uint8_t> payload) {
  Parsed parsed;
  if (payload.size() < kProbeLen || LoadBe32(payload.data()) != kProbeMagic) {
    parsed.error = ProbeError::kNotOurs;
    return parsed;
  }
  const uint8_t kind = payload[5];
  const bool is_report = kind == static_cast<uint8_t>(ProbeKind::kReport);
  parsed.probe = {.kind = static_cast<ProbeKind>(kind),
                  .answers = LoadBe16(&payload[6]),
                  .answer_len = LoadBe16(&payload[20]),
                  .run = LoadBe32(&payload[8]),
                  .call = LoadBe32(&payload[12]),
                  .sequence = LoadBe32(&payload[16]),
                  .sent_ns = LoadBe64(&payload[24])};
  if (payload[4] != kVersion || kind < static_cast<uint8_t>(ProbeKind::kData) ||
      kind > static_cast<uint8_t>(ProbeKind::kReport) ||
      (is_report && payload.size() < kReportLen) ||
      LoadBe32(&payload[kChecksumAt]) != Checksum(payload)) {
    parsed.error = ProbeError::kCorrupted;
    return parsed;
  }
  if (is_report) {
    parsed.counts = ParseCounts(&payload[kProbeLen]);
  }
  return parsed;
}

}  // namespace culvert::load
