#include "controlplane/crypto/mppe_keys.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/primitives.h"

namespace culvert::crypto {
namespace {

// RFC 3079 s3.4: the magic strings and pads.
constexpr std::string_view kMagic1 = "This is the MPPE Master Key";
constexpr std::string_view kMagic2 =
    "On the client side, this is the send key; on the server side, it is the receive key.";
constexpr std::string_view kMagic3 =
    "On the client side, this is the receive key; on the server side, it is the send key.";
static_assert(kMagic1.size() == 27 && kMagic2.size() == 84 && kMagic3.size() == 84);
constexpr std::array<uint8_t, 40> kPad1{};
constexpr std::array<uint8_t, 40> kPad2 = [] {
  std::array<uint8_t, 40> pad;
  pad.fill(0xf2);
  return pad;
}();
constexpr size_t kShortKeyLen = 8;  // 40 and 56 bit
constexpr size_t kLongKeyLen = 16;  // 128 bit

Octets AsOctets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Secret First(const Secret& digest, size_t len) { return Secret(digest.octets().first(len)); }

}  // namespace

Secret MasterKey(std::span<const uint8_t, 16> nt_hash_hash,
                 std::span<const uint8_t, 24> nt_response) {
  return First(Sha1({nt_hash_hash, nt_response, AsOctets(kMagic1)}), kLongKeyLen);
}

MppeStartKeys MsChapV2StartKeys(std::span<const uint8_t, 16> nt_hash,
                                std::span<const uint8_t, 24> nt_response, MppeSide side) {
  const Secret hash_hash = HashNtPasswordHash(nt_hash);
  const Secret master = MasterKey(SpanOf16(hash_hash), nt_response);
  const Secret upstream = Sha1({master.octets(), kPad1, AsOctets(kMagic2), kPad2});
  const Secret downstream = Sha1({master.octets(), kPad1, AsOctets(kMagic3), kPad2});
  const Secret& send = side == MppeSide::kServer ? downstream : upstream;
  const Secret& receive = side == MppeSide::kServer ? upstream : downstream;
  return {.send_128 = First(send, kLongKeyLen),
          .receive_128 = First(receive, kLongKeyLen),
          .send_40_56 = First(send, kShortKeyLen),
          .receive_40_56 = First(receive, kShortKeyLen)};
}

MppeStartKeys MsChapStartKeys(std::span<const uint8_t, 16> nt_hash,
                              std::span<const uint8_t, 8> challenge,
                              std::span<const uint8_t> lm_hash) {
  const Secret hash_hash = HashNtPasswordHash(nt_hash);
  const Secret start = Sha1({hash_hash.octets(), hash_hash.octets(), challenge});
  MppeStartKeys keys;
  keys.send_128 = First(start, kLongKeyLen);
  keys.receive_128 = First(start, kLongKeyLen);
  if (lm_hash.size() >= kShortKeyLen) {
    keys.send_40_56 = Secret(lm_hash.first(kShortKeyLen));
    keys.receive_40_56 = Secret(lm_hash.first(kShortKeyLen));
  }
  return keys;
}

Secret InitialSessionKey(std::span<const uint8_t> start_key, uint16_t bits) {
  const Secret digest = Sha1({start_key, kPad1, start_key, kPad2});
  std::array<uint8_t, kLongKeyLen> key;
  const size_t len = bits == 128 ? kLongKeyLen : kShortKeyLen;
  std::copy_n(digest.octets().begin(), len, key.begin());
  // RFC 3079 s2.4: fixed leading octets reduce the strength.
  constexpr std::array<uint8_t, 3> kReduction = {0xd1, 0x26, 0x9e};
  const size_t fixed = bits == 40 ? 3 : bits == 56 ? 1 : 0;
  std::copy_n(kReduction.begin(), fixed, key.begin());
  Secret result{Octets(key).first(len)};
  OPENSSL_cleanse(key.data(), key.size());
  return result;
}

}  // namespace culvert::crypto
