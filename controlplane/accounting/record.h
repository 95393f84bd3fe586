// What accounting records are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "culvert/accounting/v1/accounting.pb.h"

namespace culvert::accounting {

// TerminateCause: the values of Acct-Terminate-Cause that we use (RFC 2866 s5.10).
enum class TerminateCause : uint8_t {
  kUserRequest = 1,
  kLostCarrier = 2,
  kIdleTimeout = 4,
  kSessionTimeout = 5,
  kAdminReset = 6,
  kAdminReboot = 7,
  kPortError = 8,
  kNasError = 9,
  kNasRequest = 10,
  kNasReboot = 11,
  kPortPreempted = 13,
  kServiceUnavailable = 15,
  kUserError = 17,
};

// Traffic of a call from its start. Input is from the client (RFC 2866 s5.3).
struct Traffic {
  uint64_t input_octets = 0, input_packets = 0;
  uint64_t output_octets = 0, output_packets = 0;
  bool operator==(const Traffic&) const = default;
};

// Later: counters only grow, so of two readings the larger one is the later one.
[[nodiscard]] Traffic Later(const Traffic& a, const Traffic& b);

// SerialiseRecord writes a v1::Record; `session` is a serialised v1::Session.
[[nodiscard]] std::string SerialiseRecord(const v1::Record& without_session,
                                          std::string_view session);
[[nodiscard]] std::string StartRecord(std::string_view session, uint32_t time_s);
[[nodiscard]] std::string InterimRecord(std::string_view session, uint32_t time_s,
                                        uint32_t session_time_s, const Traffic& traffic);
[[nodiscard]] std::string StopRecord(std::string_view session, uint32_t time_s,
                                     uint32_t session_time_s, const Traffic& traffic,
                                     TerminateCause cause);
// NasRecord: Accounting-On or -Off (RFC 2866 s5.1), with a session id of its own.
[[nodiscard]] std::string NasRecord(v1::Kind kind, std::string_view id, uint32_t time_s);

// KindName: start, interim, stop, on, off; for logs and metrics.
[[nodiscard]] const char* KindName(v1::Kind kind);

}  // namespace culvert::accounting
