// What the PPP side asks of AAA and what it gets back. The same for local users now and
// RADIUS later, so requests carry exchanges, never decisions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controlplane/crypto/secret.h"
#include "proto/config/address.h"

namespace culvert {

enum class AuthMethod : uint8_t { kPap, kChapMd5, kMsChap, kMsChapV2 };

struct PapExchange {
  Secret password;
};
struct ChapMd5Exchange {
  uint8_t identifier = 0;
  std::vector<uint8_t> challenge;
  std::array<uint8_t, 16> response{};
};
struct MsChapExchange {
  std::array<uint8_t, 8> challenge{};
  std::array<uint8_t, 24> lm_response{};
  std::array<uint8_t, 24> nt_response{};
  uint8_t flags = 0;
};
struct MsChapV2Exchange {
  uint8_t identifier = 0;
  std::array<uint8_t, 16> challenge{};
  std::array<uint8_t, 16> peer_challenge{};
  std::array<uint8_t, 24> nt_response{};
};

struct AuthRequest {
  std::string user;           // as the peer sent it: may hold a domain, any octets
  uint32_t peer_address = 0;  // outer, host order
  uint32_t local_address = 0;
  std::variant<PapExchange, ChapMd5Exchange, MsChapExchange, MsChapV2Exchange> exchange;
};

// MppeStartKeys: StartKeys (RFC 3079), from our (NAS) view. Empty: this method gives none.
// 128-bit ones have 16 octets; those for 40 and 56 bit have 8.
struct MppeStartKeys {
  Secret send_128, receive_128;
  Secret send_40_56, receive_40_56;
  [[nodiscard]] bool Has128() const { return !send_128.empty(); }
  [[nodiscard]] bool Has40And56() const { return !send_40_56.empty(); }
};

// CallGrants: what comes with a user. An absent rate is the listener's; 0: no limit.
struct CallGrants {
  std::optional<uint64_t> upstream_bps, downstream_bps;
  std::vector<config::Ipv4Prefix> routes;  // behind the client (RFC 2865 s5.22)
};

enum class AuthVerdict : uint8_t { kAccept, kReject };

struct AuthResult {
  AuthVerdict verdict = AuthVerdict::kReject;
  std::string reject_reason;  // for our log and metrics only
  std::string user;           // name for accounting and display
  // MS-CHAPv2: "S=" and 40 hex digits (RFC 2759 s8.7).
  std::string authenticator_response;
  MppeStartKeys keys;
  uint32_t client_address = 0;    // inner, host order; 0: none was to be had
  std::string no_address_reason;  // set when accepted without an address
  CallGrants grants;
};

// Authenticator is called by a shard's thread and answers on the same one, before or after it
// returns. `done` is called once.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual void Authenticate(AuthRequest request, std::function<void(AuthResult)> done) = 0;
};

}  // namespace culvert
