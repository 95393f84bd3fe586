// The control connection's stream (RFC 2637 s2), cut at any octets.
// Input: the length of the segments, and the stream.
#include <vector>

#include "proto/wire/pptp.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace pptp = culvert::wire::pptp;

namespace {

struct Outcome {
  std::vector<pptp::Message> messages;
  int unknown = 0;
  pptp::Error end = pptp::Error::kIncomplete;
  bool operator==(const Outcome&) const = default;
};

Outcome Run(Octets stream, size_t segment_len) {
  Outcome outcome;
  pptp::StreamParser parser;
  while (!stream.empty() && outcome.end == pptp::Error::kIncomplete) {
    Octets segment = stream.first(std::min(segment_len, stream.size()));
    stream = stream.subspan(segment.size());
    while (true) {
      const auto message = parser.Next(segment);
      if (message.has_value()) {
        outcome.messages.push_back(*message);
      } else if (message.error() == pptp::Error::kUnknownType) {
        ++outcome.unknown;
      } else {
        outcome.end = message.error();
        break;
      }
    }
    Require(segment.empty() || outcome.end != pptp::Error::kIncomplete,
            "kIncomplete only when the segment is used up");
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const Octets stream = Octets(data, size).subspan(1);
  const Outcome whole = Run(stream, stream.size() + 1);
  Require(Run(stream, 1u + data[0]) == whole, "segments make no difference");
  for (const pptp::Message& message : whole.messages) {
    const std::vector<uint8_t> emitted = pptp::Emit(message);
    const auto again = pptp::Parse(emitted);
    Require(again.has_value() && *again == message, "Parse(Emit(x)) == x");
    Require(emitted.size() <= pptp::kMaxMessageLen, "no message is longer than 220 octets");
  }
  return 0;
}
