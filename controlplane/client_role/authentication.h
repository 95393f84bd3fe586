// Authentication: how a VPN client says who it is: PAP, CHAP, MS-CHAP, MS-CHAPv2, and EAP with
// MD5-Challenge or EAP-MSCHAPv2. Without socket, clock or thread; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/ppp/call.h"
#include "proto/wire/eap.h"
#include "proto/wire/ppp.h"

namespace culvert::client_role {

struct Account {
  std::string user;
  Secret nt_hash;        // crypto::NtPasswordHash() of the password, for MS-CHAP
  Secret password = {};  // for all else, and for MPPE-40 and 56 after MS-CHAP
  // For a server that says that the password has expired (MS-CHAPv2, EAP-MSCHAPv2); empty: none.
  Secret new_password = {};
};

// Wishes: what the client negotiates.
struct Wishes {
  AuthMethod method = AuthMethod::kMsChapV2;
  uint8_t eap_type = wire::eap::kMsChapV2;  // of kEap: this or kMd5Challenge
  uint32_t mppe = wire::ppp::ccp::k128Bit;  // mask of key lengths, when settings ask for MPPE
  bool stateful = false;                    // stateful MPPE is insisted on, both ways
};
inline constexpr Wishes kUsualWishes{};

class Authentication {
 public:
  // All outlive the object.
  Authentication(const Account* account, const Wishes* wishes, const ppp::Random* random)
      : account_(account), wishes_(wishes), random_(random) {}

  // Begin forgets what was; TakeFrames() then has a PAP request, if it is PAP. Again() repeats it.
  void Begin();
  void Again();
  // OnPacket takes the information field of a PAP, CHAP or EAP frame.
  void OnPacket(uint16_t protocol, wire::Octets information);
  // TakeFrames gives what is to be sent, from the protocol field on.
  [[nodiscard]] std::vector<std::vector<uint8_t>> TakeFrames();

  [[nodiscard]] bool passed() const { return passed_; }
  // failure: why it cannot succeed any more; empty while it can.
  [[nodiscard]] std::string_view failure() const { return failure_; }
  // server_failed: the server has not proved that it knows the password (RFC 2759 s5).
  [[nodiscard]] bool server_failed() const { return server_failed_; }
  // waits_for_pap: a PAP request is unanswered and the caller's timer is to repeat it.
  [[nodiscard]] bool waits_for_pap() const {
    return wishes_->method == AuthMethod::kPap && !passed_ && failure_.empty();
  }
  // keys: of a method that gives some, once it has passed; as the client sends and receives.
  [[nodiscard]] const MppeStartKeys& keys() const { return keys_; }
  // changed: the server has been sent the account's new password; with passed() it has taken it.
  [[nodiscard]] bool changed() const { return !changed_hash_.empty(); }

 private:
  void OnPap(const wire::ppp::ControlPacket& packet);
  void OnChap(const wire::ppp::ControlPacket& packet);
  void OnChallenge(const wire::ppp::ControlPacket& packet);
  void OnSuccess(std::string_view message);
  void OnEap(wire::Octets information);
  void OnEapRequest(const wire::eap::Packet& request);
  void OnEapMsChap(const wire::eap::Packet& request);
  void RespondEap(uint8_t identifier, uint8_t type, wire::Octets data);
  [[nodiscard]] std::array<uint8_t, 16> Md5Response(uint8_t identifier,
                                                    wire::Octets challenge) const;
  [[nodiscard]] std::vector<uint8_t> MsChapResponse(wire::Octets challenge);
  [[nodiscard]] std::vector<uint8_t> MsChapV2Response(wire::Octets challenge);
  // ChangePassword gives a Change-Password's data for a Failure that asks for one; empty: it does
  // not, or there is no new password.
  [[nodiscard]] std::vector<uint8_t> ChangePassword(std::string_view failure);
  // nt_hash: of the new password, once it was sent.
  [[nodiscard]] const Secret& nt_hash() const {
    return changed() ? changed_hash_ : account_->nt_hash;
  }
  void Fail(std::string_view why) { failure_ = why; }

  const Account* const account_;
  const Wishes* const wishes_;
  const ppp::Random* const random_;
  std::vector<std::vector<uint8_t>> frames_;
  std::string_view failure_;  // a literal
  bool passed_ = false, responded_ = false, server_failed_ = false;
  bool challenged_ = false;                                 // by MS-CHAPv2: there are what follows
  std::array<uint8_t, 16> challenge_{}, peer_challenge_{};  // theirs, ours
  std::array<uint8_t, 24> nt_response_{};
  Secret changed_hash_;
  uint8_t pap_identifier_ = 0;
  MppeStartKeys keys_;
};

}  // namespace culvert::client_role
