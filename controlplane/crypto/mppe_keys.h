// MPPE StartKeys from what MS-CHAP leaves behind (RFC 3079). Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "controlplane/aaa/authentication.h"
#include "controlplane/crypto/secret.h"

namespace culvert::crypto {

enum class MppeSide : uint8_t { kServer, kClient };

// MasterKey (RFC 3079 s3.3, GetMasterKey): 16 octets.
[[nodiscard]] Secret MasterKey(std::span<const uint8_t, 16> nt_hash_hash,
                               std::span<const uint8_t, 24> nt_response);

// MsChapV2StartKeys (RFC 3079 s3, GetAsymmetricStartKey) for all three strengths, as `side`
// sends and receives.
[[nodiscard]] MppeStartKeys MsChapV2StartKeys(std::span<const uint8_t, 16> nt_hash,
                                              std::span<const uint8_t, 24> nt_response,
                                              MppeSide side = MppeSide::kServer);

// MsChapStartKeys (RFC 3079 s2): the same key in both directions. `lm_hash`: 16 octets, or
// empty when there is none, and then there are no 40 and 56 bit keys.
[[nodiscard]] MppeStartKeys MsChapStartKeys(std::span<const uint8_t, 16> nt_hash,
                                            std::span<const uint8_t, 8> challenge,
                                            std::span<const uint8_t> lm_hash);

// InitialSessionKey is SessionKey(0) (RFC 3079 s2.4 and s3.4): from a StartKey of 8 octets for
// `bits` 40 and 56, of 16 for 128. No packet is encrypted with it in stateless mode.
[[nodiscard]] Secret InitialSessionKey(std::span<const uint8_t> start_key, uint16_t bits);

}  // namespace culvert::crypto
