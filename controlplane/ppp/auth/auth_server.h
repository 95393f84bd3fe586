// AuthServer authenticates the peer with PAP (RFC 1334 s2), CHAP (RFC 1994), MS-CHAP (RFC 2433),
// MS-CHAPv2 (RFC 2759) or EAP (RFC 3748). It runs the exchange; whether it is right is for AAA
// to say, and of EAP's methods it knows nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/ppp/call.h"
#include "proto/wire/eap.h"
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
  enum class Outcome : uint8_t {
    kNobodyAsked,
    kGoesOn,  // another round of EAP
    kRetry,   // the peer may try again, or change its password: somebody has to type it
    kPassed,
    kFailed,
  };

  // Pointers and references outlive the AuthServer.
  AuthServer(const PppSettings& settings, const Random& random, PppCounters* counters,
             AuthServerOwner* owner);

  // Start begins an authentication: sends a Challenge or Request, or waits for PAP's.
  void Start(AuthMethod method, uint64_t now_ms);
  void Stop();

  // OnPacket takes the information field of a PAP, CHAP or EAP frame.
  void OnPacket(uint16_t protocol, wire::Octets information, uint64_t now_ms);
  // OnResult tells the peer what AAA has decided.
  [[nodiscard]] Outcome OnResult(const AuthResult& result, uint64_t now_ms);
  void OnTimer(uint64_t now_ms);
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  [[nodiscard]] AuthMethod method() const { return method_; }
  // failure: what was wrong with AAA's answer, for the log; empty: nothing.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  enum class Stage : uint8_t { kIdle, kWaiting, kAsking, kPassed, kFailed };

  // auth_server.cc
  void SendRequest(uint64_t now_ms);
  void AskFor(AuthExchange exchange);
  void Answer(std::vector<uint8_t> frame);
  // IsRepeated answers a request that was answered before from memory.
  [[nodiscard]] bool IsRepeated(uint8_t identifier);
  [[nodiscard]] bool MayRetry(const AuthResult& result) const;
  // auth_server_chap.cc
  void StartChap(uint64_t now_ms);
  void OnPap(const wire::ppp::ControlPacket& packet);
  void OnChap(const wire::ppp::ControlPacket& packet);
  [[nodiscard]] std::optional<AuthExchange> ChapExchange(const wire::ppp::ControlPacket& packet);
  [[nodiscard]] std::optional<AuthExchange> ChangeExchange(
      const wire::ppp::ControlPacket& packet) const;
  void AnswerPap(const AuthResult& result);
  void AnswerChap(const AuthResult& result);
  [[nodiscard]] std::string FailureText(const AuthResult& result);
  [[nodiscard]] Outcome Retry(const AuthResult& result, uint64_t now_ms);
  // auth_server_eap.cc
  void StartEap(uint64_t now_ms);
  void OnEap(wire::Octets information);
  void AnswerEap(const AuthResult& result);
  [[nodiscard]] Outcome NextEapRequest(const AuthResult& result, uint64_t now_ms);

  const PppSettings& settings_;
  const Random& random_;
  PppCounters* const counters_;
  AuthServerOwner* const owner_;

  Stage stage_ = Stage::kIdle;
  AuthMethod method_ = AuthMethod::kMsChapV2;
  std::string user_;        // as the peer gave it
  uint8_t identifier_ = 0;  // that the peer's next request or Response must have
  std::vector<uint8_t> challenge_;
  std::vector<uint8_t> request_;  // Challenge or EAP Request, sent again until answered
  uint32_t num_sent_ = 0;         // of it
  uint64_t resend_ms_ = 0;        // first interval
  std::optional<uint64_t> request_deadline_ms_;
  std::optional<uint64_t> end_deadline_ms_;  // for the peer's answer and AAA's
  uint32_t num_rounds_ = 0;                  // of EAP
  uint32_t num_retries_ = 0;
  bool may_change_password_ = false;  // E=648 was the last answer
  bool asked_for_change_ = false;
  std::string failure_;
  std::vector<uint8_t> state_;        // AAA's, for the next round
  std::vector<uint8_t> last_answer_;  // for repeated requests
  uint8_t last_identifier_ = 0;       // which they have
};

}  // namespace culvert::ppp
