#include "controlplane/ppp/options/ccp_policy.h"

#include <bit>

namespace culvert::ppp {

namespace ccp = wire::ppp::ccp;
using wire::ppp::Option;
using wire::ppp::OptionList;

namespace {

constexpr uint32_t kStrengths = ccp::k40Bit | ccp::k56Bit | ccp::k128Bit;
constexpr uint32_t kMaxEmpty = 2;  // requests without MPPE before we believe it

// Strongest: 128 before 56 before 40; the mask's order is another one.
uint32_t Strongest(uint32_t mask) {
  for (uint32_t bit : {ccp::k128Bit, ccp::k56Bit, ccp::k40Bit}) {
    if ((mask & bit) != 0) {
      return bit;
    }
  }
  return 0;
}

uint16_t BitsOf(uint32_t one_bit) {
  return one_bit == ccp::k128Bit  ? 128
         : one_bit == ccp::k56Bit ? 56
         : one_bit == ccp::k40Bit ? 40
                                  : 0;
}

}  // namespace

uint16_t CcpPolicy::receive_bits() const { return BitsOf(requested_); }
uint16_t CcpPolicy::send_bits() const { return BitsOf(accepted_); }
uint16_t CcpPolicy::strongest_bits() const { return BitsOf(Strongest(requested_)); }

void CcpPolicy::EmitRequest(OptionList* out) {
  if (requested_ != 0) {
    out->AddU32(ccp::kMppe, (receive_stateful_ ? 0 : ccp::kStateless) | requested_);
  }
}

void CcpPolicy::OnNak(const Option& option) {
  if (option.type != ccp::kMppe || option.value.size() != 4) {
    return;
  }
  const uint32_t wanted = wire::Reader(option.value).U32();
  if ((wanted & allowed_) == 0) {
    return Fail("no MPPE key length in common");
  }
  requested_ = Strongest(wanted & allowed_);
  receive_stateful_ = ModeFor(wanted) == 0;
}

void CcpPolicy::OnReject(const Option& option) {
  requested_ = 0;
  Fail("the client rejects MPPE");
}

Judgement CcpPolicy::Judge(const Option& option, OptionList* naks) {
  if (option.type != ccp::kMppe) {
    return Judgement::kReject;
  }
  if (option.value.size() != 4) {
    return Judgement::kMalformed;
  }
  const uint32_t asked = wire::Reader(option.value).U32();
  // RFC 3078 s2: one strength, a mode, without MPPC and without the obsolete bit.
  const bool acceptable = (asked & ~kStrengths) == ModeFor(asked) &&
                          std::has_single_bit(asked & kStrengths) && (asked & allowed_) != 0;
  if (acceptable) {
    return Judgement::kAck;
  }
  const uint32_t common = Strongest(asked & allowed_);
  naks->AddU32(ccp::kMppe, ModeFor(asked) | (common != 0 ? common : Strongest(allowed_)));
  return Judgement::kNak;
}

void CcpPolicy::AddMissing(const Options& options, OptionList* naks) {
  if (Find(options, ccp::kMppe) != nullptr) {
    return;
  }
  if (++num_empty_ > kMaxEmpty) {
    return Fail("the client asks for no MPPE");
  }
  naks->AddU32(ccp::kMppe, ModeFor(ccp::kStateless) | Strongest(allowed_));
}

void CcpPolicy::Accept(const Options& options) {
  const Option* mppe = Find(options, ccp::kMppe);
  const uint32_t asked = mppe != nullptr ? wire::Reader(mppe->value).U32() : 0;
  accepted_ = asked & kStrengths;
  send_stateful_ = mppe != nullptr && (asked & ccp::kStateless) == 0;
}

uint32_t CcpPolicy::ModeFor(uint32_t asked) const {
  if (want_stateful_) {
    return 0;
  }
  return allow_stateful_ ? asked & ccp::kStateless : uint32_t{ccp::kStateless};
}

}  // namespace culvert::ppp
