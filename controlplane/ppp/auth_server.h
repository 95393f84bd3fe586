// AuthServer authenticates the peer with PAP (RFC 1334 s2), CHAP (RFC 1994), MS-CHAP (RFC 2433)
// or MS-CHAPv2 (RFC 2759). It runs the exchange; whether it is right is for AAA to say.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/ppp/call.h"
#include "proto/wire/ppp.h"

namespace culvert::ppp {

class AuthServerOwner {
 public:
  virtual ~AuthServerOwner() = default;
  virtual void SendAuth(std::vector<uint8_t> frame) = 0;
  virtual void Ask(AuthRequest request) = 0;
  // OnAuthTimeout: the peer or AAA was silent for too long; `why` for the log.
  virtual void OnAuthTimeout(const std::string& why) = 0;
};

// One thread.
class AuthServer {
 public:
  // Pointers and `settings` outlive the AuthServer.
  AuthServer(const PppSettings& settings, Random random, PppCounters* counters,
             AuthServerOwner* owner);

  // Start begins an authentication: sends a Challenge, or waits for a PAP request.
  void Start(AuthMethod method, uint64_t now_ms);
  void Stop();

  // OnPacket takes the information field of a PAP or CHAP frame.
  void OnPacket(uint16_t protocol, wire::Octets information, uint64_t now_ms);
  // OnResult tells the peer what AAA has decided. False: nobody had asked.
  [[nodiscard]] bool OnResult(const AuthResult& result);
  void OnTimer(uint64_t now_ms);
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  [[nodiscard]] AuthMethod method() const { return method_; }

 private:
  enum class Stage : uint8_t { kIdle, kWaiting, kAsking, kPassed, kFailed };

  void SendChallenge(uint64_t now_ms);
  void OnPap(const wire::ppp::ControlPacket& packet);
  void OnChap(const wire::ppp::ControlPacket& packet);
  // Exchange: what the Response says, in the form of its method; nullopt: malformed.
  [[nodiscard]] std::optional<AuthRequest> Exchange(const wire::ppp::ControlPacket& packet) const;
  void AskFor(AuthRequest request, uint8_t identifier);
  void Answer(uint8_t code, std::string_view text);
  [[nodiscard]] std::string FailureText() const;

  const PppSettings& settings_;
  const Random random_;
  PppCounters* const counters_;
  AuthServerOwner* const owner_;

  Stage stage_ = Stage::kIdle;
  AuthMethod method_ = AuthMethod::kMsChapV2;
  uint8_t identifier_ = 0;  // of the Challenge, or of the PAP request
  std::vector<uint8_t> challenge_;
  uint32_t num_challenges_ = 0;
  std::optional<uint64_t> challenge_deadline_ms_;  // when to send it again
  std::optional<uint64_t> end_deadline_ms_;        // for the whole authentication
  std::vector<uint8_t> last_answer_;  // Success, Failure, Ack, Nak: for repeated requests
};

}  // namespace culvert::ppp
