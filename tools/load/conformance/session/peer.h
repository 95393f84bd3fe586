// Peer: the client's side of PPP in one call. It does what a client does by itself, as far as its
// habits say, and keeps all that the server sent; a case switches a habit off and does that part
// itself, well or badly. Written apart from the server's automaton on purpose: what both have in
// common would not be found.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "proto/wire/ppp.h"
#include "tools/load/conformance/session/mppe.h"
#include "tools/load/conformance/session/tunnel.h"
#include "tools/load/conformance/target.h"

namespace culvert::load::conformance {

struct PppPacket {
  uint16_t protocol = 0;
  std::vector<uint8_t> information;
  // Of control and authentication protocols whose header is sound; code 0: it is not.
  uint8_t code = 0, identifier = 0;
  std::vector<uint8_t> data;
  bool encrypted = false;
  bool has_address_control = false;  // FF 03
};
// Describe: "LCP Configure-Request".
[[nodiscard]] std::string Describe(const PppPacket& packet);

// Layer: one protocol's negotiation, both directions.
struct Layer {
  explicit Layer(uint16_t of_protocol) : protocol(of_protocol) {}
  [[nodiscard]] bool open() const { return ours_acked && theirs_acked; }

  uint16_t protocol;
  bool active = false;  // we ask for it, and repeat until it is acknowledged
  bool ours_acked = false, theirs_acked = false;
  bool rejected = false;         // by Protocol-Reject
  uint8_t identifier = 0;        // of our last Configure-Request
  std::vector<uint8_t> options;  // what we ask for, in wire form
  std::vector<uint8_t> theirs;   // what the server asked for last
  uint64_t sent_ms = 0;
};

// What the peer does by itself.
struct Habits {
  bool answer_lcp = true;  // the server's LCP Configure-Request and Terminate-Request
  bool answer_echo = true;
  bool authenticate = true;
  bool start_network = true;   // CCP and IPCP once authenticated
  bool answer_network = true;  // the server's Configure-Requests of CCP, IPCP, IPV6CP
  bool repeat = true;          // our own Configure-Requests
};

class Peer {
 public:
  Peer(const Target* target, Tunnel* tunnel);

  // Reset forgets the call that was.
  void Reset();
  void OnPacket(const GrePacket& packet, uint64_t now_ms);
  void OnTime(uint64_t now_ms);

  // Send sends a frame that begins with its protocol field, with FF 03 before it.
  void Send(Octets frame);
  void SendControl(uint16_t protocol, uint8_t code, uint8_t identifier, Octets data);
  // Request sends the layer's Configure-Request with a new identifier.
  void Request(Layer* layer);
  // SendData encrypts once MPPE is open. `packet`: an IP packet.
  void SendData(Octets packet, uint16_t protocol = wire::ppp::kIpv4);
  void SendMppe(Octets header_and_ciphertext);
  // Respond answers a CHAP Challenge as `user` with `password`.
  [[nodiscard]] std::vector<uint8_t> ChapResponse(const PppPacket& challenge,
                                                  const std::string& user,
                                                  const std::string& password);
  void SendPap(uint8_t identifier, const std::string& user, const std::string& password);

  [[nodiscard]] const std::vector<PppPacket>& heard() const { return heard_; }
  [[nodiscard]] std::string Summary(size_t from) const;
  [[nodiscard]] Layer* Find(uint16_t protocol);
  [[nodiscard]] uint8_t NextIdentifier() { return ++identifier_; }

  // The address we were given and the server's, host order; 0: none.
  [[nodiscard]] uint32_t address() const;
  [[nodiscard]] uint32_t gateway() const;
  [[nodiscard]] uint32_t server_magic() const;

  Habits habits;
  Layer lcp{wire::ppp::kLcp}, ccp{wire::ppp::kCcp}, ipcp{wire::ppp::kIpcp},
      ipv6cp{wire::ppp::kIpv6cp};
  std::optional<AuthMethod> method;  // that we ask for; none: whatever the server wants
  uint8_t eap_type = 26;             // that we ask for: 4 MD5, 26 MSCHAPv2
  std::string user, password;
  std::string new_password;  // given to a server that says that the password has expired
  uint32_t mppe_bits = 0;    // of option 18 that we want; 0: no CCP
  bool want_ipv6 = false;
  uint32_t magic = 0;

  // What came of it.
  uint16_t offered_protocol = 0;  // the server's authentication option: c223 and the like
  uint8_t offered_algorithm = 0;
  bool authenticated = false;
  bool proof_ok = false;               // MS-CHAPv2: the server knows the password
  bool changed_password = false;       // we were asked to, and did
  std::optional<std::string> refusal;  // text of Failure or Nak
  bool terminated = false;             // the server sent LCP Terminate-Request
  std::optional<MppeChain> send_mppe, receive_mppe;
  size_t mark = 0;  // into heard()

 private:
  void OnConfigureRequest(const PppPacket& packet, uint64_t now_ms);
  void OnOurs(const PppPacket& packet, uint64_t now_ms);
  void OnLcp(const PppPacket& packet, uint64_t now_ms);
  void OnProtocolReject(const PppPacket& packet);
  void AnswerLcp(const PppPacket& packet);
  void AnswerCcp(const PppPacket& packet);
  void AnswerIpcp(const PppPacket& packet);
  void OnAuthentication(const PppPacket& packet);
  void OnEap(const PppPacket& packet);
  void OnSuccess(const PppPacket& packet);
  void OnOpened(uint16_t protocol, uint64_t now_ms);
  void StartMppe();
  void StartNetwork();
  [[nodiscard]] std::vector<uint8_t> ChangePassword(const std::string& failure);
  [[nodiscard]] std::string ComputeMsChapV2(Octets challenge, const std::string& as_user,
                                            const std::string& as_password,
                                            std::vector<uint8_t>* value);

  const Target* const target_;
  Tunnel* const tunnel_;
  std::vector<PppPacket> heard_;
  uint8_t identifier_ = 0;
  uint64_t now_ms_ = 0, pap_sent_ms_ = 0;
  // A repeated challenge gets the same response: the proof belongs to it.
  PppPacket challenge_;
  std::vector<uint8_t> response_;
  MppeStartKeys keys_;
  std::string proof_;  // "S=..." that the server must show
};

}  // namespace culvert::load::conformance
