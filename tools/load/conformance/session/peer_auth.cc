// How the peer says who it is.
#include <algorithm>
#include <random>

#include "controlplane/client_role/change_password.h"
#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/primitives.h"
#include "proto/wire/auth.h"
#include "proto/wire/eap.h"
#include "tools/load/conformance/session/peer.h"

namespace culvert::load::conformance {

namespace wp = wire::ppp;
namespace eap = wire::eap;

namespace {

Octets OctetsOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string TextOf(Octets octets) { return {octets.begin(), octets.end()}; }

Secret NtHash(const std::string& password) {
  auto hash = crypto::NtPasswordHash(OctetsOf(password));
  return hash ? std::move(*hash) : Secret(std::array<uint8_t, 16>{});
}

void FillRandom(std::span<uint8_t> out) {
  std::random_device random;
  std::generate(out.begin(), out.end(), [&] { return static_cast<uint8_t>(random()); });
}

std::vector<uint8_t> Md5Response(uint8_t identifier, const std::string& password,
                                 Octets challenge) {
  const Secret digest = crypto::Md5({Octets(&identifier, 1), OctetsOf(password), challenge});
  return {digest.octets().begin(), digest.octets().end()};
}

}  // namespace

void Peer::SendPap(uint8_t identifier, const std::string& as_user, const std::string& as_password) {
  SendControl(wp::kPap, wire::pap::kRequest, identifier,
              wire::pap::EmitRequest({.peer_id = as_user, .password = as_password}));
}

// ComputeMsChapV2 gives the proof that the server must show, and the 49 octets of the response.
std::string Peer::ComputeMsChapV2(Octets challenge, const std::string& as_user,
                                  const std::string& as_password, std::vector<uint8_t>* value) {
  const std::span<const uint8_t, 16> theirs(challenge.data(), 16);
  std::array<uint8_t, 16> ours{};
  FillRandom(ours);
  const Secret hash = NtHash(as_password);
  const auto response = crypto::GenerateNtResponse(theirs, ours, as_user, crypto::SpanOf16(hash));
  value->assign(wire::chap::kMsChapResponseLen, 0);
  std::copy(ours.begin(), ours.end(), value->begin());
  std::copy(response.begin(), response.end(), value->begin() + 24);
  keys_ = crypto::MsChapV2StartKeys(crypto::SpanOf16(hash), response, crypto::MppeSide::kClient);
  return crypto::AuthenticatorResponse(crypto::SpanOf16(hash), response, ours, theirs, as_user);
}

std::vector<uint8_t> Peer::ChapResponse(const PppPacket& challenge, const std::string& as_user,
                                        const std::string& as_password) {
  const auto theirs = wire::chap::ParseValue(challenge.data);
  if (!theirs) {
    return {};
  }
  std::vector<uint8_t> value;
  if (offered_algorithm == wire::chap::kMd5) {
    value = Md5Response(challenge.identifier, as_password, theirs->value);
  } else if (offered_algorithm == wire::chap::kMsChap && theirs->value.size() == 8) {
    const std::span<const uint8_t, 8> eight(theirs->value.data(), 8);
    const Secret hash = NtHash(as_password);
    const auto response = crypto::ChallengeResponse(eight, crypto::SpanOf16(hash));
    value.assign(wire::chap::kMsChapResponseLen, 0);
    std::copy(response.begin(), response.end(), value.begin() + 24);
    value.back() = 1;  // the NT response counts
    const auto lm = crypto::LmPasswordHash(OctetsOf(as_password));
    keys_ = crypto::MsChapStartKeys(crypto::SpanOf16(hash), eight,
                                    lm ? lm->octets() : std::span<const uint8_t>());
  } else if (offered_algorithm == wire::chap::kMsChapV2 && theirs->value.size() == 16) {
    proof_ = ComputeMsChapV2(theirs->value, as_user, as_password, &value);
  }
  return wire::chap::EmitValue({.value = value, .name = as_user});
}

void Peer::OnAuthentication(const PppPacket& packet) {
  if (packet.protocol == wp::kEap) {
    return OnEap(packet);
  }
  if (packet.protocol == wp::kPap) {
    if (packet.code == wire::pap::kAck) {
      OnSuccess(packet);
    } else if (packet.code == wire::pap::kNak) {
      refusal = packet.data.empty() ? "" : TextOf(Octets(packet.data).subspan(1));
    }
    return;
  }
  if (packet.code == wire::chap::kChallenge && habits.authenticate) {
    if (response_.empty() || packet.identifier != challenge_.identifier ||
        packet.data != challenge_.data) {
      challenge_ = packet;
      response_ = ChapResponse(packet, user, password);
    }
    SendControl(wp::kChap, wire::chap::kResponse, packet.identifier, response_);
  } else if (packet.code == wire::chap::kSuccess) {
    OnSuccess(packet);
  } else if (packet.code == wire::chap::kFailure) {
    const std::vector<uint8_t> change = ChangePassword(TextOf(packet.data));
    if (change.empty()) {
      refusal = TextOf(packet.data);
    } else {
      SendControl(wp::kChap, wire::chap::kChangePassword,
                  static_cast<uint8_t>(packet.identifier + 1), change);
    }
  }
}

// ChangePassword gives the data of a Change-Password (RFC 2759 s7); empty: it was not asked for, or
// we have done it.
std::vector<uint8_t> Peer::ChangePassword(const std::string& failure) {
  const auto challenge = client_role::ExpiredChallenge(failure);
  if (!challenge || new_password.empty() || changed_password) {
    return {};
  }
  std::array<uint8_t, 16> ours{};
  std::array<uint8_t, 516> filler{};
  FillRandom(ours);
  FillRandom(filler);
  const Secret old_hash = NtHash(password);
  auto change = client_role::MakePasswordChange(user, crypto::SpanOf16(old_hash),
                                                OctetsOf(new_password), *challenge, ours, filler);
  if (!change) {
    return {};
  }
  changed_password = true;
  const auto hash = crypto::SpanOf16(change->new_hash);
  proof_ = crypto::AuthenticatorResponse(hash, change->nt_response, ours, *challenge, user);
  keys_ = crypto::MsChapV2StartKeys(hash, change->nt_response, crypto::MppeSide::kClient);
  return std::move(change->data);
}

void Peer::OnSuccess(const PppPacket& packet) {
  if (packet.protocol == wp::kChap && offered_algorithm == wire::chap::kMsChapV2) {
    proof_ok = TextOf(packet.data).starts_with(proof_);
  }
  if (!authenticated) {
    authenticated = true;
    StartNetwork();
  }
}

void Peer::OnEap(const PppPacket& packet) {
  const auto request = eap::Parse(packet.information);
  if (!request) {
    return;
  }
  if (request->code == eap::kSuccess) {
    return OnSuccess(packet);
  }
  if (request->code == eap::kFailure) {
    refusal = "EAP Failure";
    return;
  }
  if (request->code != eap::kRequest || !habits.authenticate) {
    return;
  }
  eap::Packet response{
      .code = eap::kResponse, .identifier = request->identifier, .type = request->type, .data = {}};
  std::vector<uint8_t> data;
  if (request->type == eap::kIdentity) {
    data.assign(user.begin(), user.end());
  } else if (request->type == eap::kNotification) {
    // An empty response (RFC 3748 s5.2).
  } else if (request->type != eap_type) {
    response.type = eap::kNak;
    data = {eap_type};
  } else if (request->type == eap::kMd5Challenge) {
    if (const auto value = wire::chap::ParseValue(request->data)) {
      data = wire::chap::EmitValue(
          {.value = Md5Response(request->identifier, password, value->value), .name = user});
    }
  } else if (const auto message = eap::mschapv2::Parse(request->data)) {
    if (message->op_code == eap::mschapv2::kChallenge) {
      const auto value = wire::chap::ParseValue(message->data);
      if (!value || value->value.size() != 16) {
        return;
      }
      std::vector<uint8_t> octets;
      proof_ = ComputeMsChapV2(value->value, user, password, &octets);
      const auto emitted = wire::chap::EmitValue({.value = octets, .name = user});
      data = eap::mschapv2::Emit({.op_code = eap::mschapv2::kResponse,
                                  .identifier = message->identifier,
                                  .data = emitted});
    } else if (const std::vector<uint8_t> change = message->op_code == eap::mschapv2::kFailure
                                                       ? ChangePassword(TextOf(message->data))
                                                       : std::vector<uint8_t>();
               !change.empty()) {
      data = eap::mschapv2::Emit({.op_code = eap::mschapv2::kChangePassword,
                                  .identifier = static_cast<uint8_t>(message->identifier + 1),
                                  .data = change});
    } else {
      proof_ok = TextOf(message->data).starts_with(proof_);
      data = eap::mschapv2::Emit({.op_code = message->op_code, .identifier = 0, .data = {}}, false);
    }
  }
  response.data = data;
  const std::vector<uint8_t> emitted = eap::Emit(response);
  std::vector<uint8_t> frame = {0xc2, 0x27};
  frame.insert(frame.end(), emitted.begin(), emitted.end());
  Send(frame);
}

void Peer::StartMppe() {
  const bool stateless = (mppe_bits & wp::ccp::kStateless) != 0;
  uint16_t bits = 128;
  if ((mppe_bits & wp::ccp::k40Bit) != 0) {
    bits = 40;
  } else if ((mppe_bits & wp::ccp::k56Bit) != 0) {
    bits = 56;
  }
  const Secret& send = bits == 128 ? keys_.send_128 : keys_.send_40_56;
  const Secret& receive = bits == 128 ? keys_.receive_128 : keys_.receive_40_56;
  send_mppe.emplace(send.octets(), bits, stateless);
  receive_mppe.emplace(receive.octets(), bits, stateless);
}

}  // namespace culvert::load::conformance
