// A conformance case: what it sends, what which RFC section asks, and the function that tries it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace culvert::load::conformance {

class Session;

enum class Verdict : uint8_t {
  kFine,      // as the RFC asks
  kDeparts,   // not as the RFC asks, or an odd choice, but as widespread servers do
  kViolates,  // against the RFC
  kSkipped,   // not tried, with a reason
};
[[nodiscard]] std::string_view ToString(Verdict verdict);

struct Result {
  Verdict verdict = Verdict::kViolates;
  std::string came_back;  // one line; of kSkipped the reason
  bool began = true;      // false: the server did not let it come to what it tries
};

[[nodiscard]] inline Result Fine(std::string came_back) {
  return {Verdict::kFine, std::move(came_back)};
}
// Departs names after `came_back` whose behaviour it is.
[[nodiscard]] inline Result Departs(std::string came_back, std::string_view as) {
  return {Verdict::kDeparts, came_back + " (as " + std::string(as) + ")"};
}
[[nodiscard]] inline Result Violates(std::string came_back) {
  return {Verdict::kViolates, std::move(came_back)};
}
// Judge{whether it is fine, what came back}: in braces, so that the text is made after the test.
struct Judge {
  bool fine;
  std::string came_back;
  operator Result() && {  // NOLINT: a case returns it as its result
    return {fine ? Verdict::kFine : Verdict::kViolates, std::move(came_back)};
  }
};

// Holds{whether it does, what came back then}.
struct Holds {
  bool holds;
  std::string_view came_back;
  operator Result() && {  // NOLINT: a case returns it as its result
    return holds ? Fine(std::string(came_back)) : Violates("not so: " + std::string(came_back));
  }
};

// What a case needs on the server, or of the command line. Bits.
enum Need : uint32_t {
  kNothing = 0,
  kUser = 1 << 0,  // --user and --password that the server takes
  kPap = 1 << 1,   // the server offers this method when asked for it
  kChapMd5 = 1 << 2,
  kMsChap = 1 << 3,
  kMsChapV2 = 1 << 4,
  kEap = 1 << 5,
  kMppe = 1 << 6,  // MPPE-128 for this user
  kMppe40 = 1 << 7,
  kMppe56 = 1 << 8,
  kMppeStateful = 1 << 9,
  kMppeRequired = 1 << 10,    // no call without MPPE
  kMppeOptional = 1 << 11,    // calls with and without
  kIpv6 = 1 << 12,            // IPV6CP
  kOtherSource = 1 << 13,     // --other-source
  kPing = 1 << 14,            // the server answers a ping in the tunnel
  kAuthentication = 1 << 15,  // the server asks its clients who they are
  kExpired = 1 << 16,         // --expired-user, --expired-password and --new-password
  kExpiredEap = 1 << 17,      // --expired-eap-user and those passwords
};

struct Case {
  const char* name;     // GROUP/NAME, unique
  const char* section;  // "RFC 2637 s2.2"
  const char* sends;
  const char* asks;  // what the section asks for
  uint32_t needs = kNothing;
  unsigned seconds = 0;  // more than 0: it waits for the server's timers, so long at most
  Result (*run)(Session& session) = nullptr;
};

// The groups, in the order of a call's life. Each is a constant table.
[[nodiscard]] std::span<const Case> ControlCases();
[[nodiscard]] std::span<const Case> ControlStreamCases();
[[nodiscard]] std::span<const Case> CallCases();
[[nodiscard]] std::span<const Case> CallEndCases();
[[nodiscard]] std::span<const Case> GreHeaderCases();
[[nodiscard]] std::span<const Case> GreSequenceCases();
[[nodiscard]] std::span<const Case> LcpCases();
[[nodiscard]] std::span<const Case> LcpOptionCases();
[[nodiscard]] std::span<const Case> LcpRobustnessCases();
[[nodiscard]] std::span<const Case> PasswordCases();
[[nodiscard]] std::span<const Case> MsChapCases();
[[nodiscard]] std::span<const Case> EapCases();
[[nodiscard]] std::span<const Case> CcpCases();
[[nodiscard]] std::span<const Case> MppeCases();
[[nodiscard]] std::span<const Case> MppeLossCases();
[[nodiscard]] std::span<const Case> IpcpCases();
[[nodiscard]] std::span<const Case> NetworkCases();
[[nodiscard]] std::span<const Case> Ipv6cpCases();

}  // namespace culvert::load::conformance
