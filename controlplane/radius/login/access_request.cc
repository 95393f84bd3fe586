#include "controlplane/radius/login/access_request.h"

#include <algorithm>
#include <array>

namespace culvert::radius {

namespace {

using OctetVector = std::vector<uint8_t>;

void Append(OctetVector& to, Octets octets) { to.insert(to.end(), octets.begin(), octets.end()); }

void AddExchange(const PapExchange& pap, Request& request) {
  request.user_password = pap.password.Clone();
}

void AddExchange(const ChapMd5Exchange& chap, Request& request) {
  OctetVector value = {chap.identifier};
  Append(value, chap.response);
  request.attributes.Add(attr::kChapPassword, value);
  request.attributes.Add(attr::kChapChallenge, chap.challenge);
}

// RFC 2548 s2.1.3: identifier, flags, both responses.
void AddExchange(const MsChapExchange& chap, Request& request) {
  OctetVector value = {chap.identifier, chap.flags};
  Append(value, chap.lm_response);
  Append(value, chap.nt_response);
  request.attributes.Add(attr::kMsChapChallenge, chap.challenge);
  request.attributes.Add(attr::kMsChapResponse, value);
}

constexpr std::array<uint8_t, 8> kReserved{};

// RFC 2548 s2.3.2: flags come first, unlike in the client's packet.
void AddExchange(const MsChapV2Exchange& chap, Request& request) {
  OctetVector value = {chap.identifier, 0};
  Append(value, chap.peer_challenge);
  Append(value, kReserved);
  Append(value, chap.nt_response);
  request.attributes.Add(attr::kMsChapChallenge, chap.challenge);
  request.attributes.Add(attr::kMsChap2Response, value);
}

// RFC 2548 s2.3.3 and s2.1.6: the new password goes in pieces, counted from 1 as servers expect.
void AddExchange(const MsChapV2ChangeExchange& change, Request& request) {
  constexpr uint8_t kChangeCode = 7, kEncPwCode = 6;
  constexpr size_t kPieceLen = kMaxVendorValueLen - 4;
  OctetVector value = {kChangeCode, change.identifier};
  Append(value, change.encrypted_hash);
  Append(value, change.peer_challenge);
  Append(value, kReserved);
  Append(value, change.nt_response);
  value.push_back(static_cast<uint8_t>(change.flags >> 8));
  value.push_back(static_cast<uint8_t>(change.flags));
  request.attributes.Add(attr::kMsChapChallenge, change.challenge);
  request.attributes.Add(attr::kMsChap2Cpw, value);
  Octets rest = change.encrypted_password;
  for (uint8_t number = 1; !rest.empty(); ++number) {
    OctetVector piece = {kEncPwCode, change.identifier, 0, number};
    const size_t len = std::min(rest.size(), kPieceLen);
    Append(piece, rest.first(len));
    request.attributes.Add(attr::kMsChapNtEncPw, piece);
    rest = rest.subspan(len);
  }
}

void AddExchange(const EapExchange& eap, Request& request) {
  request.attributes.AddLong(attr::kEapMessage, eap.packet);
}

}  // namespace

Request MakeAccessRequest(const AuthRequest& from, const AccessSettings& settings) {
  Request request{.code = Code::kAccessRequest};
  AttributeList& list = request.attributes;
  if (!from.user.empty()) {
    list.AddText(attr::kUserName, from.user);
  }
  AddNas(settings.nas, list);
  AddSession(settings.nas, from.call, list);
  list.Add(attr::kChargeableUserIdentity, std::array<uint8_t, 1>{0});  // RFC 4372 s2.1: asks for it
  if (from.method() == AuthMethod::kEap && settings.framed_mtu != 0) {
    list.AddInteger(attr::kFramedMtu, settings.framed_mtu);
  }
  if (!from.state.empty()) {
    request.server = from.state.front();
    if (from.state.size() > 1) {
      list.Add(attr::kState, Octets(from.state).subspan(1));
    }
  }
  std::visit([&](const auto& exchange) { AddExchange(exchange, request); }, from.exchange);
  return request;
}

}  // namespace culvert::radius
