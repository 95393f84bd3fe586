// Terms: what holds for one call: the configuration, and what comes with the user.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/ppp/call.h"

namespace culvert::ppp {

struct Terms {
  // Of every call before its user is known.
  explicit Terms(const PppSettings& settings);
  // A user's MPPE policy and MTU may tighten the configuration's, never loosen them.
  Terms(const PppSettings& settings, const CallGrants& grants);

  // UsableStrengths: of MPPE, those that are allowed and have a key: a mask of CCP's bits.
  [[nodiscard]] uint32_t UsableStrengths(const MppeStartKeys& keys) const;

  MppePolicy mppe;
  bool mppe_40, mppe_56, mppe_128;
  uint16_t mtu;
  std::vector<uint32_t> dns, wins;  // at most two each, host order
  std::string_view conflict;        // why no call can be had under these terms; empty: none
};

}  // namespace culvert::ppp
