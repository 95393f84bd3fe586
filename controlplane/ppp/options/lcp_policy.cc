#include "controlplane/ppp/options/lcp_policy.h"

#include <algorithm>

#include "proto/wire/auth.h"

namespace culvert::ppp {

namespace lcp = wire::ppp::lcp;
using wire::Reader;
using wire::ppp::Option;
using wire::ppp::OptionList;

namespace {

constexpr uint16_t kMinMru = 128;       // what we can work with
constexpr uint16_t kDefaultMru = 1500;  // RFC 1661 s6.1
constexpr uint32_t kMaxLooped = 4;      // requests with our own magic number, RFC 1661 s6.4

// LenOk: an option that we know has the one length that its RFC gives it.
bool LenOk(const Option& option) {
  switch (option.type) {
    case lcp::kMru:
      return option.value.size() == 2;
    case lcp::kAccm:
    case lcp::kMagicNumber:
      return option.value.size() == 4;
    case lcp::kPfc:
    case lcp::kAcfc:
      return option.value.empty();
    case lcp::kAuthentication:
      return option.value.size() >= 2;
    default:
      return true;
  }
}

}  // namespace

std::vector<uint8_t> MethodOption(AuthMethod method) {
  constexpr uint8_t kPapHigh = wire::ppp::kPap >> 8, kPapLow = wire::ppp::kPap & 0xff;
  constexpr uint8_t kChapHigh = wire::ppp::kChap >> 8, kChapLow = wire::ppp::kChap & 0xff;
  switch (method) {
    case AuthMethod::kPap:
      return {kPapHigh, kPapLow};
    case AuthMethod::kChapMd5:
      return {kChapHigh, kChapLow, wire::chap::kMd5};
    case AuthMethod::kMsChap:
      return {kChapHigh, kChapLow, wire::chap::kMsChap};
    case AuthMethod::kMsChapV2:
      return {kChapHigh, kChapLow, wire::chap::kMsChapV2};
    case AuthMethod::kEap:
      return {wire::ppp::kEap >> 8, wire::ppp::kEap & 0xff};
  }
  return {};
}

bool GivesMppeKeys(AuthMethod method) {
  // Of EAP's methods only some do; which one it is shows later.
  return method == AuthMethod::kMsChap || method == AuthMethod::kMsChapV2 ||
         method == AuthMethod::kEap;
}

LcpPolicy::LcpPolicy(const PppSettings& settings, std::vector<AuthMethod> methods,
                     const Random& random)
    : settings_(settings), methods_(std::move(methods)), random_(random), mru_(settings.mru) {}

uint32_t LcpPolicy::NewMagic() const {
  uint8_t octets[4];
  random_(octets);
  const uint32_t magic = Reader(octets).U32();
  return magic != 0 ? magic : 1;
}

void LcpPolicy::Reset() {
  peer_ = {};
  magic_ = ask_magic_ ? NewMagic() : 0;
}

void LcpPolicy::EmitRequest(OptionList* out) {
  if (ask_mru_ && mru_ != kDefaultMru) {
    out->AddU16(lcp::kMru, mru_);
  }
  out->Add(lcp::kAuthentication, MethodOption(method()));
  if (ask_magic_) {
    out->AddU32(lcp::kMagicNumber, magic_);
  }
  if (ask_pfc_) {
    out->AddFlag(lcp::kPfc);
  }
  if (ask_acfc_) {
    out->AddFlag(lcp::kAcfc);
  }
  request_magic_ = magic_;
}

// NextMethod: the method on offer was refused. The peer's wish comes next when it is one of
// ours, else our next best.
void LcpPolicy::NextMethod(wire::Octets suggestion) {
  methods_.erase(methods_.begin());
  if (methods_.empty()) {
    methods_.push_back(settings_.methods.empty() ? AuthMethod::kMsChapV2 : settings_.methods[0]);
    return Fail("no authentication method in common");
  }
  const auto wish = std::find_if(methods_.begin(), methods_.end(), [suggestion](AuthMethod method) {
    const std::vector<uint8_t> value = MethodOption(method);
    return std::equal(value.begin(), value.end(), suggestion.begin(), suggestion.end());
  });
  if (wish != methods_.end()) {
    std::rotate(methods_.begin(), wish, wish + 1);
  }
}

void LcpPolicy::OnNak(const Option& option) {
  if (!LenOk(option)) {
    return;
  }
  switch (option.type) {
    case lcp::kMru: {
      const uint16_t mru = Reader(option.value).U16();
      mru_ = mru >= 576 && mru <= kDefaultMru ? mru : mru_;
      return;
    }
    case lcp::kAuthentication:
      return NextMethod(option.value);
    case lcp::kMagicNumber:
      // Ours was seen as the peer's own: another random one, not the one suggested.
      magic_ = NewMagic();
      return;
    default:
      return;
  }
}

void LcpPolicy::OnReject(const Option& option) {
  switch (option.type) {
    case lcp::kMru:
      ask_mru_ = false;
      return;
    case lcp::kAuthentication:
      return Fail("the client refuses to authenticate");
    case lcp::kMagicNumber:
      ask_magic_ = false;
      magic_ = 0;
      return;
    case lcp::kPfc:
      ask_pfc_ = false;
      return;
    case lcp::kAcfc:
      ask_acfc_ = false;
      return;
    default:
      return;
  }
}

void LcpPolicy::BeginRequest(const Options& options) {
  const Option* magic = Find(options, lcp::kMagicNumber);
  looped_request_ = magic != nullptr && LenOk(*magic) && request_magic_ != 0 &&
                    Reader(magic->value).U32() == request_magic_;
  num_looped_ = looped_request_ ? num_looped_ + 1 : 0;
  if (num_looped_ > kMaxLooped) {
    Fail("the link is looped back");
  }
}

Judgement LcpPolicy::Judge(const Option& option, OptionList* naks) {
  if (!LenOk(option)) {
    return Judgement::kMalformed;
  }
  switch (option.type) {
    case lcp::kMru:
      if (Reader(option.value).U16() >= kMinMru) {
        return Judgement::kAck;
      }
      naks->AddU16(lcp::kMru, kDefaultMru);
      return Judgement::kNak;
    case lcp::kAccm:
    case lcp::kPfc:
    case lcp::kAcfc:
      return Judgement::kAck;
    case lcp::kMagicNumber:
      if (!looped_request_ && Reader(option.value).U32() != 0) {
        return Judgement::kAck;
      }
      naks->AddU32(lcp::kMagicNumber, NewMagic());
      return Judgement::kNak;
    default:
      // RFC 1661 s6.4: an own request that has come back is answered with a Nak of the magic
      // number only; a Reject of the authentication would pass for the client's.
      return looped_request_ ? Judgement::kAck : Judgement::kReject;
  }
}

void LcpPolicy::Accept(const Options& options) {
  peer_ = {};
  for (const Option& option : options) {
    switch (option.type) {
      case lcp::kMru:
        peer_.mru = Reader(option.value).U16();
        break;
      case lcp::kMagicNumber:
        peer_.magic = Reader(option.value).U32();
        break;
      case lcp::kPfc:
        peer_.pfc = true;
        break;
      case lcp::kAcfc:
        peer_.acfc = true;
        break;
      default:
        break;
    }
  }
}

}  // namespace culvert::ppp
