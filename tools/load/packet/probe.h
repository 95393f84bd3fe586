// Probe: what a test packet carries in its UDP payload, both ways. All numbers are in network byte
// order; README.md has the layout.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace culvert::load {

constexpr uint32_t kProbeMagic = 0x43764c64;  // "CvLd"
constexpr size_t kProbeLen = 36;              // of the header, which is the shortest probe
constexpr size_t kReportLen = kProbeLen + 40;

enum class ProbeKind : uint8_t {
  kData = 1,    // to the sink
  kAnswer = 2,  // from the sink, asked for by a kData
  kAsk = 3,     // to the sink: what have you counted of this call?
  kReport = 4,  // from the sink: SinkCounts follow the header
};

struct Probe {
  ProbeKind kind = ProbeKind::kData;
  uint16_t answers = 0;     // kData: how many kAnswer the sink is to send
  uint16_t answer_len = 0;  // kData: of each one's UDP payload
  uint32_t run = 0;         // tells runs apart
  uint32_t call = 0;        // within the run
  uint32_t sequence = 0;    // from 0 in each direction of a call
  uint64_t sent_ns = 0;     // by the loader's clock; an answer has that of its kData
  bool operator==(const Probe&) const = default;
};

// SinkCounts: a call as the sink has seen it.
struct SinkCounts {
  uint64_t packets = 0, octets = 0;  // of IPv4 packets, once each
  uint32_t late = 0, duplicated = 0, corrupted = 0;
  uint32_t answers = 0;  // sent
  uint64_t answer_octets = 0;
  bool operator==(const SinkCounts&) const = default;
};

enum class ProbeError : uint8_t { kNotOurs, kCorrupted };

// EmitProbe fills `out`, which has at least kProbeLen octets: the header, a pattern behind it, and
// the checksum (CRC-32C) over all. `counts`: of a kReport; `out` has at least kReportLen then.
void EmitProbe(const Probe& probe, const SinkCounts* counts, std::span<uint8_t> out);

// Parsed is a probe, or what is wrong. kCorrupted: it has our magic number but not its checksum;
// `probe` then says, as far as it can be trusted, whose it was.
struct Parsed {
  std::optional<ProbeError> error;
  Probe probe;
  SinkCounts counts;  // of a kReport
};
[[nodiscard]] Parsed ParseProbe(std::span<const uint8_t> payload);

}  // namespace culvert::load
