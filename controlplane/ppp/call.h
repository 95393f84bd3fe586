// PppCall: the PPP side of one call, from LCP to IPCP and CCP (RFC 1661), without socket,
// clock or thread. Inputs are On...(); outputs are effects, in order, which the caller
// takes after every input. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "proto/wire/cursor.h"

namespace culvert::ppp {

enum class MppePolicy : uint8_t { kDeny, kAllow, kRequire };

// PppSettings: the `ppp` and `auth` sections of the configuration, shared by all calls.
struct PppSettings {
  uint16_t mru = 1400;
  uint16_t mtu = 1500;
  uint32_t restart_timer_ms = 1000;  // first; doubles up to 3 times the value
  uint32_t max_configure = 10;
  uint32_t max_terminate = 2;
  uint32_t max_failure = 5;
  uint16_t echo_interval_s = 30;  // of silence; 0: only answer
  uint8_t echo_failures = 4;
  uint32_t setup_timeout_ms = 60000;
  uint32_t gateway_address = 0;     // host order
  std::vector<uint32_t> dns, wins;  // at most two each, host order
  MppePolicy mppe = MppePolicy::kAllow;
  bool mppe_40 = true, mppe_56 = true, mppe_128 = true;
  bool mppe_stateful = false;         // accepted from clients that insist
  std::vector<AuthMethod> methods;    // allowed, in order of preference
  uint32_t auth_retries = 0;          // after a wrong password (MS-CHAP: R=1)
  std::string server_name;            // in CHAP Challenges
  bool ipv6 = false;                  // IPV6CP is negotiated; false: answered with Protocol-Reject
  uint64_t gateway_interface_id = 1;  // ours on every call: fe80::1
};

struct MppeDirection {
  uint16_t bits = 0;   // 40, 56, 128
  uint32_t epoch = 0;  // new at each CCP Opened: RFC 3078 keys start again
  bool stateful = false;
  Secret start_key;  // 8 or 16 octets
};

// EchoOffload: LCP echo as the data plane does it (RFC 1661 s5.8).
struct EchoOffload {
  uint16_t interval_s = 0;  // 0: only answer
  uint8_t failures = 0;
  uint32_t magic = 0, peer_magic = 0;
};

// DataplaneState: all that the data plane must know of the PPP side. Program carries the
// whole state each time.
struct DataplaneState {
  bool send_acfc = false;
  bool send_pfc = false;
  uint16_t peer_mru = 1500;
  uint16_t mtu = 0;             // as configured; the data plane goes below it for peer_mru and MPPE
  uint32_t client_address = 0;  // 0 until IPCP is opened
  uint64_t client_interface_id = 0;  // RFC 5072; 0 until IPV6CP is opened
  bool require_encryption = false;
  std::optional<MppeDirection> receive, send;
  std::optional<EchoOffload> echo;  // while LCP is open
};

// Effects. Order matters: frames after a Program must leave only when the data plane has
// confirmed it (the peer may send encrypted data right after our Configure-Ack).
struct SendFrame {
  std::vector<uint8_t> data;  // from the two-octet protocol field on
};
struct Program {
  DataplaneState state;
};
// Answer with OnAuthResult(). A client that negotiates LCP again is asked again: more than one
// in a call, never two at a time.
struct Authenticate {
  AuthRequest request;  // but for `call`, which the caller knows
};
struct Authenticated {  // the peer was told so
  AuthMethod method;
  std::string user;
};
struct Up {  // IPCP is open, and CCP too when encryption is required: traffic may flow
  uint32_t client_address;
  uint16_t mppe_bits;  // 0: none
};
// Ipv6Up: IPV6CP is open, with these interface identifiers. What comes on the link and is for us
// (router solicitation, DHCPv6) follows as Ipv6Packet; answers are frames of protocol 0057.
struct Ipv6Up {
  uint64_t gateway_id, client_id;
};
struct Ipv6Down {};
struct Ipv6Packet {
  std::vector<uint8_t> packet;  // from the IPv6 header on
};
struct Changed {};  // phase(), mppe_bits() or so have changed
// EndKind is why PPP is over, for programs.
enum class EndKind : uint8_t {
  kAsked,  // by Terminate() or OnLowerDown()
  kPeerHungUp,
  kPeerSilent,
  kAuthentication,  // failed, refused or not done in time
  kEncryption,      // MPPE is required, and cannot be had
  kNetwork,         // no address, or no network protocol
  kProtocol,        // the rest: loops, endless negotiations, no set-up in time
};
struct Ended {  // last effect: hang up; no input has any effect after it
  EndKind kind;
  std::string reason;  // for people
};
using Effect = std::variant<SendFrame, Program, Authenticate, Authenticated, Up, Ipv6Up, Ipv6Down,
                            Ipv6Packet, Changed, Ended>;

enum class Phase : uint8_t { kDead, kEstablish, kAuthenticate, kNetwork, kOpen, kTerminate };

// Random fills the span with cryptographically random octets.
using Random = std::function<void(std::span<uint8_t>)>;

// What peers sent and we refused; each is a counter of the process.
struct PppCounters {
  uint64_t malformed_frames = 0;
  uint64_t malformed_packets = 0;
  uint64_t malformed_options = 0;
  uint64_t unknown_protocols = 0;  // answered with Protocol-Reject
  uint64_t unknown_codes = 0;      // answered with Code-Reject
  uint64_t bad_identifiers = 0;    // replies to nothing we sent
  uint64_t out_of_phase = 0;
};

class PppCall {
 public:
  // `counters` outlives the call.
  PppCall(std::shared_ptr<const PppSettings> settings, Random random, PppCounters* counters,
          uint64_t now_ms);
  ~PppCall();

  void Start(uint64_t now_ms);
  // OnFrame: from the protocol field on; ACFC and PFC forms are taken too.
  void OnFrame(wire::Octets frame, uint64_t now_ms);
  void OnAuthResult(AuthResult result, uint64_t now_ms);
  void OnTimer(uint64_t now_ms);
  // Terminate: LCP Terminate-Request, then Ended when the peer answers or time is over.
  void Terminate(std::string reason, uint64_t now_ms);
  // RenegotiateCcp: the peer's MPPE cannot be followed any more. The call ends when it will not.
  void RenegotiateCcp(uint64_t now_ms);
  // ProgramAgain gives the Program effect anew, for a change on the caller's side.
  void ProgramAgain();
  // OnLowerDown: the control connection or call is gone: Ended at once, nothing sent.
  void OnLowerDown(std::string reason, uint64_t now_ms);

  // deadline_ms: when OnTimer() wants to be called; nullopt: no need.
  [[nodiscard]] std::optional<uint64_t> deadline_ms() const;
  [[nodiscard]] std::vector<Effect> TakeEffects();

  [[nodiscard]] Phase phase() const;
  [[nodiscard]] uint16_t mppe_bits() const;  // sending direction; 0: none

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace culvert::ppp
