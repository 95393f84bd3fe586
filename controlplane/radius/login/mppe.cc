#include "controlplane/radius/login/mppe.h"

#include <fmt/format.h>

#include <algorithm>

#include "controlplane/crypto/primitives.h"
#include "controlplane/radius/hiding.h"

namespace culvert::radius {

namespace {

constexpr size_t kShortKeyLen = 8, kLongKeyLen = 16, kEapKeyLen = 32;
constexpr uint32_t kPolicyRequired = 2;
// RFC 2548 s2.4.5; 56 bit is not there, but in use.
constexpr uint32_t kType40 = 0x2, kType128 = 0x4, kType56 = 0x8;

Secret First(const Secret& key, size_t len) { return Secret(key.octets().first(len)); }

std::string BadKey(std::string_view name) {
  return fmt::format(
      "the Access-Accept has a bad {}: it does not come out with the length of a key", name);
}

// ReadDirection: 16 octets are a StartKey, 32 the half of an EAP method's key (RFC 2716 s3.5), 8
// a StartKey of 40 and 56 bit only.
tl::expected<void, std::string> ReadDirection(const Attribute& attribute, std::string_view name,
                                              Octets secret,
                                              const AuthenticatorOctets& request_authenticator,
                                              Secret& key_128, Secret& key_40_56) {
  const auto key = RevealKey(attribute.value, secret, request_authenticator);
  const size_t len = key ? key->octets().size() : 0;
  if (len != kShortKeyLen && len != kLongKeyLen && len != kEapKeyLen) {
    return tl::unexpected(BadKey(name));
  }
  key_40_56 = First(*key, kShortKeyLen);
  if (len >= kLongKeyLen) {
    key_128 = First(*key, kLongKeyLen);
  }
  return {};
}

// ReadChapKeys: MS-CHAP-MPPE-Keys. NT-Key is the hash of the hash (RFC 3079 s2.3).
tl::expected<void, std::string> ReadChapKeys(const Attribute& attribute, Octets challenge,
                                             Octets secret,
                                             const AuthenticatorOctets& request_authenticator,
                                             MppeStartKeys& keys) {
  const auto chap = RevealChapMppeKeys(attribute.value, secret, request_authenticator);
  if (!chap) {
    return tl::unexpected(BadKey("MS-CHAP-MPPE-Keys"));
  }
  const Secret start = crypto::Sha1({chap->nt_key.octets(), chap->nt_key.octets(), challenge});
  keys.send_128 = First(start, kLongKeyLen);
  keys.receive_128 = First(start, kLongKeyLen);
  const Octets lm_key = chap->lm_key.octets();
  if (std::any_of(lm_key.begin(), lm_key.end(), [](uint8_t octet) { return octet != 0; })) {
    keys.send_40_56 = chap->lm_key.Clone();
    keys.receive_40_56 = chap->lm_key.Clone();
  }
  return {};
}

tl::expected<MppeStartKeys, std::string> ReadKeys(
    const Packet& accept, const AuthExchange& exchange, Octets secret,
    const AuthenticatorOctets& request_authenticator) {
  MppeStartKeys keys;
  const Attribute* const send = accept.Find(attr::kMsMppeSendKey);
  const Attribute* const receive = accept.Find(attr::kMsMppeRecvKey);
  if ((send == nullptr) != (receive == nullptr)) {
    return tl::unexpected(
        std::string("the Access-Accept has only one of MS-MPPE-Send-Key and -Recv-Key"));
  }
  if (send != nullptr) {
    auto read = ReadDirection(*send, "MS-MPPE-Send-Key", secret, request_authenticator,
                              keys.send_128, keys.send_40_56);
    if (read) {
      read = ReadDirection(*receive, "MS-MPPE-Recv-Key", secret, request_authenticator,
                           keys.receive_128, keys.receive_40_56);
    }
    if (!read) {
      return tl::unexpected(read.error());
    }
    if (keys.send_128.empty() != keys.receive_128.empty()) {
      return tl::unexpected(BadKey("MS-MPPE-Recv-Key"));
    }
    return keys;
  }
  const Attribute* const chap = accept.Find(attr::kMsChapMppeKeys);
  const auto* const exchanged = std::get_if<MsChapExchange>(&exchange);
  if (chap != nullptr && exchanged != nullptr) {
    auto read = ReadChapKeys(*chap, exchanged->challenge, secret, request_authenticator, keys);
    if (!read) {
      return tl::unexpected(read.error());
    }
  }
  return keys;
}

uint8_t StrengthsOf(uint32_t types) {
  return static_cast<uint8_t>(((types & kType40) != 0 ? CallGrants::kMppe40 : 0) |
                              ((types & kType56) != 0 ? CallGrants::kMppe56 : 0) |
                              ((types & kType128) != 0 ? CallGrants::kMppe128 : 0));
}

bool ReadInteger(Octets value, uint32_t* out) {
  const std::optional<uint32_t> read = IntegerOf(value);
  *out = read.value_or(0);
  return read.has_value();
}

}  // namespace

tl::expected<MppeReading, std::string> ReadMppe(const Packet& accept, const AuthExchange& exchange,
                                                Octets secret,
                                                const AuthenticatorOctets& request_authenticator) {
  auto keys = ReadKeys(accept, exchange, secret, request_authenticator);
  if (!keys) {
    return tl::unexpected(keys.error());
  }
  MppeReading reading;
  const bool has_keys = keys->Has128() || keys->Has40And56();
  reading.keys = std::move(*keys);
  const Attribute* const policy = accept.Find(attr::kMsMppeEncryptionPolicy);
  const Attribute* const types = accept.Find(attr::kMsMppeEncryptionTypes);
  uint32_t policy_value = 0;
  uint32_t types_value = kType128;
  if ((policy != nullptr && !ReadInteger(policy->value, &policy_value)) ||
      (types != nullptr && !ReadInteger(types->value, &types_value))) {
    return tl::unexpected(
        std::string("the Access-Accept has a bad MS-MPPE-Encryption-Policy or -Types"));
  }
  if (types_value == 0) {
    reading.policy = MppeGrant::kDeny;
    return reading;
  }
  if (policy_value == kPolicyRequired && !has_keys) {
    return tl::unexpected(std::string("the Access-Accept requires MPPE and has no keys for it"));
  }
  if (policy != nullptr) {
    reading.policy = policy_value == kPolicyRequired ? MppeGrant::kRequire : MppeGrant::kAllow;
  }
  if (types != nullptr) {
    reading.strengths = StrengthsOf(types_value);
    if (*reading.strengths == 0) {
      reading.strengths = CallGrants::kMppe128;
      reading.odd_types = true;
    }
  }
  return reading;
}

}  // namespace culvert::radius
