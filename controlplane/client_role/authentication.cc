#include "controlplane/client_role/authentication.h"

#include <algorithm>
#include <utility>

#include "controlplane/client_role/change_password.h"
#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/primitives.h"
#include "proto/wire/auth.h"

namespace culvert::client_role {

namespace wp = wire::ppp;
namespace eap = wire::eap;

namespace {

constexpr size_t kMsChapChallengeLen = 8;     // RFC 2433 s4
constexpr size_t kMsChapV2ChallengeLen = 16;  // RFC 2759 s3
constexpr uint8_t kUseNtResponse = 1;

std::string_view Text(wire::Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace

void Authentication::Begin() {
  passed_ = responded_ = server_failed_ = false;
  failure_ = {};
  changed_hash_.Wipe();
  if (wishes_->method == AuthMethod::kPap) {
    ++pap_identifier_;
    Again();
  }
}

void Authentication::Again() {
  if (!waits_for_pap()) {
    return;
  }
  std::vector<uint8_t> data = wire::pap::EmitRequest(
      {.peer_id = account_->user, .password = Text(account_->password.octets())});
  frames_.push_back(wp::EmitControl(wp::kPap, wire::pap::kRequest, pap_identifier_, data));
  OPENSSL_cleanse(data.data(), data.size());
}

std::vector<std::vector<uint8_t>> Authentication::TakeFrames() {
  return std::exchange(frames_, {});
}

void Authentication::OnPacket(uint16_t protocol, wire::Octets information) {
  if (protocol == wp::kEap) {
    return wishes_->method == AuthMethod::kEap ? OnEap(information) : void();
  }
  const tl::expected<wp::ControlPacket, wp::Error> packet = wp::ParseControl(information);
  if (!packet) {
    return;
  }
  if (protocol == wp::kPap && wishes_->method == AuthMethod::kPap) {
    OnPap(*packet);
  } else if (protocol == wp::kChap && wishes_->method != AuthMethod::kPap &&
             wishes_->method != AuthMethod::kEap) {
    OnChap(*packet);
  }
}

void Authentication::OnPap(const wp::ControlPacket& packet) {
  if (packet.identifier != pap_identifier_ || passed_) {
    return;
  }
  if (packet.code == wire::pap::kAck) {
    passed_ = true;
  } else if (packet.code == wire::pap::kNak) {
    Fail("the server refuses the password");
  }
}

void Authentication::OnChap(const wp::ControlPacket& packet) {
  if (packet.code == wire::chap::kChallenge) {
    OnChallenge(packet);
  } else if (packet.code == wire::chap::kSuccess && responded_ && !passed_) {
    OnSuccess(Text(packet.data));
  } else if (packet.code == wire::chap::kFailure && responded_) {
    const std::vector<uint8_t> change = wishes_->method == AuthMethod::kMsChapV2
                                            ? ChangePassword(Text(packet.data))
                                            : std::vector<uint8_t>();
    if (change.empty()) {
      return Fail("the server refuses the password");
    }
    frames_.push_back(wp::EmitControl(wp::kChap, wire::chap::kChangePassword,
                                      static_cast<uint8_t>(packet.identifier + 1), change));
  }
}

std::vector<uint8_t> Authentication::ChangePassword(std::string_view failure) {
  const auto challenge = ExpiredChallenge(failure);
  if (!challenge || account_->new_password.empty() || changed()) {
    return {};
  }
  std::array<uint8_t, 516> filler{};
  (*random_)(filler);
  (*random_)(peer_challenge_);
  challenge_ = *challenge;
  auto change =
      MakePasswordChange(account_->user, crypto::SpanOf16(account_->nt_hash),
                         account_->new_password.octets(), challenge_, peer_challenge_, filler);
  if (!change) {
    return {};
  }
  nt_response_ = change->nt_response;
  changed_hash_ = std::move(change->new_hash);
  return std::move(change->data);
}

void Authentication::OnChallenge(const wp::ControlPacket& packet) {
  const auto value = wire::chap::ParseValue(packet.data);
  if (!value) {
    return;
  }
  std::vector<uint8_t> response;
  if (wishes_->method == AuthMethod::kChapMd5) {
    const std::array<uint8_t, 16> md5 = Md5Response(packet.identifier, value->value);
    response.assign(md5.begin(), md5.end());
  } else {
    response = wishes_->method == AuthMethod::kMsChap ? MsChapResponse(value->value)
                                                      : MsChapV2Response(value->value);
  }
  if (response.empty()) {
    return;
  }
  responded_ = true;
  frames_.push_back(
      wp::EmitControl(wp::kChap, wire::chap::kResponse, packet.identifier,
                      wire::chap::EmitValue({.value = response, .name = account_->user})));
}

std::array<uint8_t, 16> Authentication::Md5Response(uint8_t identifier,
                                                    wire::Octets challenge) const {
  const Secret digest =
      crypto::Md5({wire::Octets(&identifier, 1), account_->password.octets(), challenge});
  std::array<uint8_t, 16> response{};
  std::copy(digest.octets().begin(), digest.octets().end(), response.begin());
  return response;
}

// MsChapResponse (RFC 2433 s6) leaves the LM response empty: nobody wants it any more.
std::vector<uint8_t> Authentication::MsChapResponse(wire::Octets challenge) {
  if (challenge.size() != kMsChapChallengeLen) {
    return {};
  }
  const std::span<const uint8_t, 8> fixed(challenge.data(), kMsChapChallengeLen);
  nt_response_ = crypto::ChallengeResponse(fixed, crypto::SpanOf16(account_->nt_hash));
  std::vector<uint8_t> response(wire::chap::kMsChapResponseLen);
  std::copy(nt_response_.begin(), nt_response_.end(), response.begin() + 24);
  response.back() = kUseNtResponse;
  const auto lm_hash = crypto::LmPasswordHash(account_->password.octets());
  const bool has_lm = lm_hash.has_value() && !account_->password.empty();
  keys_ = crypto::MsChapStartKeys(crypto::SpanOf16(account_->nt_hash), fixed,
                                  has_lm ? lm_hash->octets() : wire::Octets());
  return response;
}

// MsChapV2Response answers a challenge that is repeated as before: the server may have judged the
// first Response already, and its Success proves knowledge of that one's peer challenge.
std::vector<uint8_t> Authentication::MsChapV2Response(wire::Octets challenge) {
  if (challenge.size() != kMsChapV2ChallengeLen) {
    return {};
  }
  if (!challenged_ || !std::equal(challenge.begin(), challenge.end(), challenge_.begin())) {
    std::copy(challenge.begin(), challenge.end(), challenge_.begin());
    (*random_)(peer_challenge_);
    challenged_ = true;
  }
  nt_response_ = crypto::GenerateNtResponse(challenge_, peer_challenge_, account_->user,
                                            crypto::SpanOf16(account_->nt_hash));
  std::vector<uint8_t> response(wire::chap::kMsChapResponseLen);  // RFC 2759 s4
  std::copy(peer_challenge_.begin(), peer_challenge_.end(), response.begin());
  std::copy(nt_response_.begin(), nt_response_.end(), response.begin() + 24);
  return response;
}

void Authentication::OnSuccess(std::string_view message) {
  const bool is_v2 =
      wishes_->method == AuthMethod::kMsChapV2 || wishes_->method == AuthMethod::kEap;
  if (is_v2) {
    const std::string proof = crypto::AuthenticatorResponse(
        crypto::SpanOf16(nt_hash()), nt_response_, peer_challenge_, challenge_, account_->user);
    if (!message.starts_with(proof)) {
      server_failed_ = true;
      return Fail("the server does not know the password");
    }
    keys_ = crypto::MsChapV2StartKeys(crypto::SpanOf16(nt_hash()), nt_response_,
                                      crypto::MppeSide::kClient);
  }
  passed_ = true;
}

void Authentication::OnEap(wire::Octets information) {
  const tl::expected<eap::Packet, eap::Error> packet = eap::Parse(information);
  if (!packet) {
    return;
  }
  if (packet->code == eap::kRequest) {
    return OnEapRequest(*packet);
  }
  if (packet->code == eap::kFailure) {
    Fail("the server refuses the password");
  } else if (packet->code == eap::kSuccess && wishes_->eap_type == eap::kMd5Challenge &&
             responded_) {
    passed_ = true;
  } else if (packet->code == eap::kSuccess && !keys_.send_128.empty()) {
    passed_ = true;  // the proof came before, in a Success Request
  }
}

void Authentication::OnEapRequest(const eap::Packet& request) {
  if (request.type == eap::kIdentity || request.type == eap::kNotification) {
    const auto* user = reinterpret_cast<const uint8_t*>(account_->user.data());
    return RespondEap(request.identifier, request.type,
                      request.type == eap::kIdentity ? wire::Octets(user, account_->user.size())
                                                     : wire::Octets());
  }
  if (request.type != wishes_->eap_type) {
    return RespondEap(request.identifier, eap::kNak, {&wishes_->eap_type, 1});  // RFC 3748 s5.3.1
  }
  if (request.type == eap::kMsChapV2) {
    return OnEapMsChap(request);
  }
  if (const auto value = wire::chap::ParseValue(request.data)) {
    const std::array<uint8_t, 16> response = Md5Response(request.identifier, value->value);
    responded_ = true;
    RespondEap(request.identifier, request.type,
               wire::chap::EmitValue({.value = response, .name = account_->user}));
  }
}

void Authentication::OnEapMsChap(const eap::Packet& request) {
  const auto message = eap::mschapv2::Parse(request.data);
  if (!message) {
    return;
  }
  if (message->op_code == eap::mschapv2::kChallenge) {
    const auto value = wire::chap::ParseValue(message->data);
    const std::vector<uint8_t> response =
        value ? MsChapV2Response(value->value) : std::vector<uint8_t>();
    if (!response.empty()) {
      const std::vector<uint8_t> data =
          wire::chap::EmitValue({.value = response, .name = account_->user});
      RespondEap(request.identifier, request.type,
                 eap::mschapv2::Emit({.op_code = eap::mschapv2::kResponse,
                                      .identifier = message->identifier,
                                      .data = data}));
    }
    return;
  }
  if (message->op_code == eap::mschapv2::kSuccess) {
    OnSuccess(Text(message->data));
    passed_ = false;  // EAP's own Success is still to come
    if (server_failed_) {
      return;
    }
  } else if (message->op_code == eap::mschapv2::kFailure) {
    const std::vector<uint8_t> change = ChangePassword(Text(message->data));
    if (!change.empty()) {
      return RespondEap(
          request.identifier, request.type,
          eap::mschapv2::Emit({.op_code = eap::mschapv2::kChangePassword,
                               .identifier = static_cast<uint8_t>(message->identifier + 1),
                               .data = change}));
    }
    Fail("the server refuses the password");
  }
  RespondEap(request.identifier, request.type,
             eap::mschapv2::Emit({.op_code = message->op_code, .identifier = 0, .data = {}},
                                 /*has_header=*/false));
}

void Authentication::RespondEap(uint8_t identifier, uint8_t type, wire::Octets data) {
  const std::vector<uint8_t> packet =
      eap::Emit({.code = eap::kResponse, .identifier = identifier, .type = type, .data = data});
  std::vector<uint8_t> frame = {wp::kEap >> 8, wp::kEap & 0xff};
  frame.insert(frame.end(), packet.begin(), packet.end());
  frames_.push_back(std::move(frame));
}

}  // namespace culvert::client_role
