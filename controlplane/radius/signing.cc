#include "controlplane/radius/signing.h"

#include <algorithm>

#include "controlplane/crypto/primitives.h"
#include "controlplane/radius/hiding.h"
#include "proto/wire/byte_order.h"

namespace culvert::radius {

namespace {

constexpr size_t kMessageAuthenticatorLen = 16;
constexpr size_t kFrontLen = kAuthenticatorOffset;  // code, identifier, length
constexpr AuthenticatorOctets kZeros{};

// IsKeyed: the Request Authenticator is a digest of the packet, not a random number.
bool IsKeyed(Code code) {
  return code == Code::kAccountingRequest || code == Code::kCoaRequest ||
         code == Code::kDisconnectRequest;
}

// Digest is what both authenticators are (RFC 2865 s3, RFC 2866 s3): MD5 of the packet with
// `authenticator` in its header, and the secret.
Secret Digest(Octets packet, const AuthenticatorOctets& authenticator, Octets secret) {
  return crypto::Md5({packet.first(kFrontLen), authenticator, packet.subspan(kHeaderLen), secret});
}

// Hmac is the Message-Authenticator whose value begins at `at` (RFC 3579 s3.2).
Secret Hmac(Octets packet, size_t at, const AuthenticatorOctets& authenticator, Octets secret) {
  return crypto::HmacMd5(
      secret, {packet.first(kFrontLen), authenticator, packet.subspan(kHeaderLen, at - kHeaderLen),
               kZeros, packet.subspan(at + kMessageAuthenticatorLen)});
}

void StoreAt(std::vector<uint8_t>& packet, size_t at, Octets octets) {
  std::copy(octets.begin(), octets.end(), packet.begin() + static_cast<ptrdiff_t>(at));
}

// Assemble puts header and attributes together, the Message-Authenticator first and computed with
// `authenticator` in the header.
tl::expected<std::vector<uint8_t>, PacketError> Assemble(Code code, uint8_t identifier,
                                                         const AttributeList& attributes,
                                                         const AuthenticatorOctets& authenticator,
                                                         bool message_authenticator,
                                                         Octets secret) {
  AttributeList all;
  if (message_authenticator) {
    all.Add(attr::kMessageAuthenticator, kZeros);
  }
  all.Append(attributes);
  if (all.error()) {
    return tl::unexpected(*all.error());
  }
  std::vector<uint8_t> packet(kHeaderLen);
  packet[0] = static_cast<uint8_t>(code);
  packet[1] = identifier;
  wire::StoreBe16(&packet[2], static_cast<uint16_t>(kHeaderLen + all.octets().size()));
  StoreAt(packet, kAuthenticatorOffset, authenticator);
  packet.insert(packet.end(), all.octets().begin(), all.octets().end());
  if (message_authenticator) {
    constexpr size_t kAt = kHeaderLen + 2;
    StoreAt(packet, kAt, Hmac(packet, kAt, authenticator, secret).octets());
  }
  return packet;
}

MessageAuthenticatorCheck CheckMessageAuthenticator(const Packet& packet,
                                                    const AuthenticatorOctets& authenticator,
                                                    Octets secret) {
  const size_t count = packet.Count(attr::kMessageAuthenticator);
  if (count == 0) {
    return MessageAuthenticatorCheck::kAbsent;
  }
  const Octets value = packet.Find(attr::kMessageAuthenticator)->value;
  if (count > 1 || value.size() != kMessageAuthenticatorLen) {
    return MessageAuthenticatorCheck::kInvalid;
  }
  const auto at = static_cast<size_t>(value.data() - packet.octets.data());
  return Hmac(packet.octets, at, authenticator, secret).Equals(value)
             ? MessageAuthenticatorCheck::kValid
             : MessageAuthenticatorCheck::kInvalid;
}

}  // namespace

tl::expected<std::vector<uint8_t>, PacketError> BuildRequest(const RequestParts& parts,
                                                             const AttributeList& attributes,
                                                             Octets secret) {
  const bool is_keyed = IsKeyed(parts.code);
  const AuthenticatorOctets& authenticator = is_keyed ? kZeros : parts.authenticator;
  AttributeList all;
  if (parts.user_password) {
    const auto hidden = HidePassword(*parts.user_password, secret, parts.authenticator);
    if (!hidden) {
      return tl::unexpected(PacketError::kValueTooLong);
    }
    all.Add(attr::kUserPassword, *hidden);
  }
  all.Append(attributes);
  const bool message_authenticator = parts.message_authenticator ||
                                     parts.code == Code::kAccessRequest ||
                                     parts.code == Code::kStatusServer;
  auto packet =
      Assemble(parts.code, parts.identifier, all, authenticator, message_authenticator, secret);
  if (packet && is_keyed) {
    StoreAt(*packet, kAuthenticatorOffset, Digest(*packet, kZeros, secret).octets());
  }
  return packet;
}

tl::expected<std::vector<uint8_t>, PacketError> BuildReply(Code code, const Packet& request,
                                                           const AttributeList& attributes,
                                                           bool message_authenticator,
                                                           Octets secret) {
  auto packet = Assemble(code, request.identifier, attributes, request.authenticator,
                         message_authenticator, secret);
  if (packet) {
    StoreAt(*packet, kAuthenticatorOffset, Digest(*packet, request.authenticator, secret).octets());
  }
  return packet;
}

bool IsSignedRequest(const Packet& request, Octets secret) {
  return IsKeyed(request.code) &&
         Digest(request.octets, kZeros, secret).Equals(request.authenticator);
}

bool IsSignedReply(const Packet& reply, const AuthenticatorOctets& request_authenticator,
                   Octets secret) {
  return Digest(reply.octets, request_authenticator, secret).Equals(reply.authenticator);
}

MessageAuthenticatorCheck CheckRequestMessageAuthenticator(const Packet& request, Octets secret) {
  // RFC 5176 s2.3: those whose authenticator is computed last are signed with zeros there.
  return CheckMessageAuthenticator(request, IsKeyed(request.code) ? kZeros : request.authenticator,
                                   secret);
}

MessageAuthenticatorCheck CheckReplyMessageAuthenticator(
    const Packet& reply, const AuthenticatorOctets& request_authenticator, Octets secret) {
  return CheckMessageAuthenticator(reply, request_authenticator, secret);
}

}  // namespace culvert::radius
