// Script drives a PppCall in tests: Receive ... Expect .... Frames are hexadecimal text, blanks
// are ignored; other effects are written as words (see call_script.cc). Only for tests.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/ppp/call.h"

namespace culvert::ppp::testing {

// Packet gives a frame of `protocol` ("c021") with code, identifier, length and `data`.
std::string Packet(const std::string& protocol, int code, int identifier,
                   const std::string& data = "");
std::string Lcp(int code, int identifier, const std::string& data = "");
std::string Pap(int code, int identifier, const std::string& data = "");
std::string Chap(int code, int identifier, const std::string& data = "");
std::string Eap(int code, int identifier, const std::string& data = "");
std::string Ccp(int code, int identifier, const std::string& data = "");
std::string Ipcp(int code, int identifier, const std::string& data = "");
std::string Ipv6cp(int code, int identifier, const std::string& data = "");
std::string HexOf(const std::string& text);  // of the octets of a text

// TestSettings: gateway 10.77.0.1, DNS 8.8.8.8 and 8.8.4.4, no WINS, MS-CHAPv2 only, no echo.
PppSettings TestSettings();
// Accepted: 10.77.0.10, with keys 11.. (send) and 22.. (receive), and an "S=" text for MS-CHAPv2.
AuthResult Accepted();
AuthResult Rejected();

class Script {
 public:
  // The random source gives 01 01 .. the first time, 02 02 .. the second, and so on.
  explicit Script(PppSettings settings = TestSettings());

  void Start();
  void Receive(const std::string& frame);
  void Answer(AuthResult result);
  void Terminate(const std::string& reason);
  void RenegotiateCcp();
  void ProgramAgain();
  void LowerDown(const std::string& reason);
  // Wait lets time pass, with OnTimer() at each deadline.
  void Wait(uint64_t ms);

  // Expect: the next effect is this one. A frame's text is its hexadecimal form.
  void Expect(const std::string& effect);
  void ExpectNothing();
  // Skip forgets the effects that nobody has looked at.
  void Skip() { effects_.clear(); }
  [[nodiscard]] bool SawEnd() const { return ended_; }
  [[nodiscard]] std::optional<EndKind> end_kind() const { return end_kind_; }

  // OpenLcp goes through LCP as pppd does, our magic 01010101, its 0a0b0c0d.
  void OpenLcp(const std::string& method = "c22381");
  // Authenticate answers the MS-CHAPv2 Challenge as "alice"; AAA gives `result`.
  void Authenticate(AuthResult result = Accepted());
  // OpenCcp and OpenIpcp follow, with 128 bit.
  void OpenCcp();
  void OpenIpcp();

  PppCall& call() { return *call_; }
  const PppCounters& counters() const { return counters_; }
  const AuthRequest& question() const { return *question_; }
  uint64_t now_ms() const { return now_ms_; }

 private:
  void Take();
  std::string Describe(Effect& effect);

  uint64_t now_ms_ = 1'000'000;
  uint8_t next_random_ = 0;
  PppCounters counters_;
  std::unique_ptr<PppCall> call_;
  std::deque<std::string> effects_;
  std::optional<AuthRequest> question_;
  bool ended_ = false;
  std::optional<EndKind> end_kind_;
};

}  // namespace culvert::ppp::testing
