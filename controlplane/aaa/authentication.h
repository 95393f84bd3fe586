// What the PPP side asks of AAA and what it gets back. The same for local users and RADIUS, so
// requests carry exchanges, never decisions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "controlplane/crypto/secret.h"

namespace culvert {

enum class AuthMethod : uint8_t { kPap, kChapMd5, kMsChap, kMsChapV2, kEap };

struct PapExchange {
  static constexpr AuthMethod kMethod = AuthMethod::kPap;
  Secret password;
};
struct ChapMd5Exchange {
  static constexpr AuthMethod kMethod = AuthMethod::kChapMd5;
  uint8_t identifier = 0;
  std::vector<uint8_t> challenge;
  std::array<uint8_t, 16> response{};
};
struct MsChapExchange {
  static constexpr AuthMethod kMethod = AuthMethod::kMsChap;
  uint8_t identifier = 0;
  std::array<uint8_t, 8> challenge{};
  std::array<uint8_t, 24> lm_response{};
  std::array<uint8_t, 24> nt_response{};
  uint8_t flags = 0;
};
struct MsChapV2Exchange {
  static constexpr AuthMethod kMethod = AuthMethod::kMsChapV2;
  uint8_t identifier = 0;
  std::array<uint8_t, 16> challenge{};
  std::array<uint8_t, 16> peer_challenge{};
  std::array<uint8_t, 24> nt_response{};
};
// MsChapV2ChangeExchange: Change-Password, after E=648 (RFC 2759 s7).
struct MsChapV2ChangeExchange {
  static constexpr AuthMethod kMethod = AuthMethod::kMsChapV2;
  uint8_t identifier = 0;
  std::array<uint8_t, 16> challenge{};
  std::array<uint8_t, 516> encrypted_password{};
  std::array<uint8_t, 16> encrypted_hash{};
  std::array<uint8_t, 16> peer_challenge{};
  std::array<uint8_t, 24> nt_response{};
  uint16_t flags = 0;
};
struct EapExchange {
  static constexpr AuthMethod kMethod = AuthMethod::kEap;
  std::vector<uint8_t> packet;  // the peer's whole Response (RFC 3748 s4.1)
};
using AuthExchange = std::variant<PapExchange, ChapMd5Exchange, MsChapExchange, MsChapV2Exchange,
                                  MsChapV2ChangeExchange, EapExchange>;

// PeerNames: what a peer's PPTP says of itself and of the line behind it, checked: printable ASCII.
// Empty: nothing.
struct PeerNames {
  std::string host_name;  // of Start-Control-Connection-Request
  // Of Incoming-Call-Request: telephone numbers, which never look like addresses.
  std::string called_number, calling_number;
};

// CallFacts: whose call asks.
struct CallFacts {
  uint64_t id = 0;  // Acct-Session-Id is FormatCallId() of it
  uint32_t nas_port = 0;
  uint32_t peer_address = 0, local_address = 0;  // outer, host order
  size_t listener = 0;                           // index into pptp.listen
  std::shared_ptr<const PeerNames> names = {};   // null: none
};

struct AuthRequest {
  CallFacts call;
  std::string user;  // as the peer sent it: may hold a domain, any octets
  AuthExchange exchange;
  // What the kChallenge answer before this gave (RFC 2865 s5.24); empty: there was none.
  std::vector<uint8_t> state;

  [[nodiscard]] AuthMethod method() const {
    return std::visit([](const auto& typed) { return typed.kMethod; }, exchange);
  }
  // eap_type is the type in an EAP response of a method (RFC 3748 s4.1); else 0.
  [[nodiscard]] uint8_t eap_type() const;
  // Clone is the explicit copy, password and all.
  [[nodiscard]] AuthRequest Clone() const;
};

// MppeStartKeys: StartKeys (RFC 3079), from our (NAS) view. Empty: this method gives none.
// 128-bit ones have 16 octets; those for 40 and 56 bit have 8.
struct MppeStartKeys {
  Secret send_128, receive_128;
  Secret send_40_56, receive_40_56;
  [[nodiscard]] bool Has128() const { return !send_128.empty(); }
  [[nodiscard]] bool Has40And56() const { return !send_40_56.empty(); }
};

// kChallenge: the exchange goes on; ask again with the peer's next message and `state`.
enum class AuthVerdict : uint8_t { kAccept, kReject, kChallenge };

// AuthSource: who has judged; for Acct-Authentic (RFC 2866 s5.6).
enum class AuthSource : uint8_t { kLocal, kRadius };

// MsChapFailure: what a Failure packet says (RFC 2433 s5, RFC 2759 s6).
struct MsChapFailure {
  uint32_t code = 691;
  bool retry = false;
  std::vector<uint8_t> challenge;  // of the retry; empty: the caller makes one
  std::string message;             // empty: the usual one
};

struct AuthResult {
  AuthVerdict verdict = AuthVerdict::kReject;
  AuthSource source = AuthSource::kLocal;
  std::string reject_reason;  // for our log and metrics only
  bool unknown_user = false;  // with kReject: another backend may know the user
  bool unjudged = false;      // with kReject: no fault of the user's, as when no server answers
  std::string user;           // name for accounting and display
  uint8_t eap_type = 0;       // the EAP method of the last response (RFC 3748 s5); 0: none
  // With kReject after an MS-CHAP exchange; absent: E=691, no retry.
  std::optional<MsChapFailure> mschap_failure;
  std::string reply_message;  // for the peer (RFC 2865 s5.18); empty: the usual text
  // EAP: the packet for the peer: a Request, Success or Failure. Empty: the caller makes it.
  std::vector<uint8_t> eap;
  std::vector<uint8_t> state;  // with kChallenge
  // MS-CHAPv2: "S=" and 40 hex digits (RFC 2759 s8.7).
  std::string authenticator_response;
  MppeStartKeys keys;
  CallGrants grants;
  // Filled by Admission, with kAccept.
  Lease lease;
  std::string no_address_reason;  // accepted, but without an address
};

using AuthDone = std::function<void(AuthResult)>;

// Authenticator is called by a shard's thread and answers on the same one, before or after it
// returns. `done` is called once.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual void Authenticate(AuthRequest request, AuthDone done) = 0;
};

}  // namespace culvert
