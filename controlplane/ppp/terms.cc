#include "controlplane/ppp/terms.h"

#include <algorithm>

#include "proto/wire/ppp.h"

namespace culvert::ppp {

namespace ccp = wire::ppp::ccp;

Terms::Terms(const PppSettings& settings)
    : mppe(settings.mppe),
      mppe_40(settings.mppe_40),
      mppe_56(settings.mppe_56),
      mppe_128(settings.mppe_128),
      mtu(settings.mtu),
      dns(settings.dns),
      wins(settings.wins) {}

Terms::Terms(const PppSettings& settings, const CallGrants& grants) : Terms(settings) {
  if (grants.mppe == MppeGrant::kDeny) {
    conflict = mppe == MppePolicy::kRequire ? "MPPE is required, but the user may not have it" : "";
    mppe = MppePolicy::kDeny;
  } else if (grants.mppe == MppeGrant::kRequire) {
    conflict = mppe == MppePolicy::kDeny ? "the user must have MPPE, which is denied" : "";
    mppe = MppePolicy::kRequire;
  }
  if (grants.mppe_strengths) {
    mppe_40 = mppe_40 && (*grants.mppe_strengths & CallGrants::kMppe40) != 0;
    mppe_56 = mppe_56 && (*grants.mppe_strengths & CallGrants::kMppe56) != 0;
    mppe_128 = mppe_128 && (*grants.mppe_strengths & CallGrants::kMppe128) != 0;
  }
  mtu = std::min(mtu, grants.mtu.value_or(mtu));
  dns = grants.dns.empty() ? dns : grants.dns;
  wins = grants.wins.empty() ? wins : grants.wins;
}

uint32_t Terms::UsableStrengths(const MppeStartKeys& keys) const {
  if (mppe == MppePolicy::kDeny) {
    return 0;
  }
  uint32_t strengths = mppe_128 && keys.Has128() ? ccp::k128Bit : 0;
  if (keys.Has40And56()) {
    strengths |= mppe_56 ? ccp::k56Bit : 0;
    strengths |= mppe_40 ? ccp::k40Bit : 0;
  }
  return strengths;
}

}  // namespace culvert::ppp
