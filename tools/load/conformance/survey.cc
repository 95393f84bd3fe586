#include "tools/load/conformance/survey.h"

#include "proto/config/address/address.h"
#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace ccp = wire::ppp::ccp;

namespace {

struct MethodNeed {
  AuthMethod method;
  uint32_t need;
};
constexpr MethodNeed kMethods[] = {{AuthMethod::kPap, kPap},
                                   {AuthMethod::kChapMd5, kChapMd5},
                                   {AuthMethod::kMsChap, kMsChap},
                                   {AuthMethod::kMsChapV2, kMsChapV2},
                                   {AuthMethod::kEap, kEap}};

struct MppeNeed {
  uint32_t bits;
  uint32_t need;
};
constexpr MppeNeed kMppeModes[] = {{ccp::kStateless | ccp::k128Bit, kMppe},
                                   {ccp::kStateless | ccp::k40Bit, kMppe40},
                                   {ccp::kStateless | ccp::k56Bit, kMppe56},
                                   {ccp::k128Bit, kMppeStateful}};

struct NeedText {
  uint32_t need;
  const char* text;
};
constexpr NeedText kTexts[] = {
    {kUser, "needs --user and --password"},
    {kAuthentication, "the server asks nobody who they are"},
    {kPap, "the server does not do PAP"},
    {kChapMd5, "the server does not do CHAP with MD5"},
    {kMsChap, "the server does not do MS-CHAP version 1"},
    {kMsChapV2, "the server does not do MS-CHAPv2"},
    {kEap, "the server does not do EAP"},
    {kMppe, "the server does not do stateless MPPE-128"},
    {kMppe40, "the server does not do MPPE-40"},
    {kMppe56, "the server does not do MPPE-56"},
    {kMppeStateful, "the server does not do stateful MPPE"},
    {kMppeRequired, "the server does not require MPPE"},
    {kMppeOptional, "the server has no calls both with and without MPPE"},
    {kIpv6, "the server does not do IPV6CP"},
    {kOtherSource, "needs --other-source"},
    {kExpired, "needs --expired-user, --expired-password and --new-password"},
    {kExpiredEap, "needs --expired-eap-user, --expired-password and --new-password"},
    {kPing, "the server answers no ping through the tunnel"},
};

void TryMethods(const Target& target, Survey* survey) {
  for (const MethodNeed& one : kMethods) {
    Session session(&target, survey);
    session.ppp.method = one.method;
    session.ppp.habits.authenticate = false;
    // A server that is left without a method may open LCP, only to end it.
    if (session.OpenLcp() && session.ppp.offered_protocol != 0) {
      survey->offers |= one.need | kAuthentication;
    }
  }
}

void TryMppe(const Target& target, Survey* survey) {
  for (const MppeNeed& one : kMppeModes) {
    Session session(&target, survey);
    session.ppp.method = AuthMethod::kMsChapV2;
    if (session.Up(one.bits)) {
      survey->offers |= one.need;
    }
  }
}

// TryClear: a call without MPPE. `why` when the password is refused.
void TryClear(const Target& target, Survey* survey, std::string* why) {
  Session session(&target, survey);
  session.ppp.want_ipv6 = true;
  const bool up = session.Up(0);
  if (session.ppp.refusal) {
    *why = "the server refuses the password of \"" + target.user + "\": " + *session.ppp.refusal;
  } else if (up) {
    survey->offers |= (survey->offers & kMppe) != 0 ? kMppeOptional : kNothing;
  } else if ((survey->offers & kMppe) != 0) {
    survey->offers |= kMppeRequired;
  }
  if (up && session.Ping()) {
    survey->offers |= kPing;
  }
}

void TryNetwork(const Target& target, Survey* survey, std::string* why) {
  Session session(&target, survey);
  session.ppp.want_ipv6 = true;
  if (!session.Up()) {
    *why = "no call comes up: " + session.problem();
    return;
  }
  if (session.Ping()) {
    survey->offers |= kPing;
  }
  if (session.Wait([&] { return session.ppp.ipv6cp.open() || session.ppp.ipv6cp.rejected; },
                   target.wait_ms) &&
      session.ppp.ipv6cp.open()) {
    survey->offers |= kIpv6;
  }
}

}  // namespace

std::string TakeSurvey(const Target& target, Survey* survey) {
  {
    Session session(&target, survey);
    if (!session.Start()) {
      return config::FormatEndpoint({target.server, target.port}) + ": " + session.problem();
    }
    survey->host_name = wire::pptp::FromName(session.start_reply.host_name);
    survey->vendor = wire::pptp::FromName(session.start_reply.vendor);
    survey->firmware = session.start_reply.firmware_revision;
  }
  survey->offers |= target.other_source != 0 ? kOtherSource : kNothing;
  if (!target.expired_password.empty() && !target.new_password.empty()) {
    survey->offers |= target.expired_user.empty() ? kNothing : kExpired;
    survey->offers |= target.expired_eap_user.empty() ? kNothing : kExpiredEap;
  }
  TryMethods(target, survey);
  if (target.user.empty()) {
    return {};
  }
  std::string why;
  TryMppe(target, survey);
  TryClear(target, survey, &why);
  if (why.empty()) {
    TryNetwork(target, survey, &why);
  }
  survey->offers |= kUser;
  return why;
}

std::string WhyNot(uint32_t needs, const Survey& survey) {
  for (const NeedText& one : kTexts) {
    if ((needs & one.need) != 0 && (survey.offers & one.need) == 0) {
      return one.text;
    }
  }
  return {};
}

}  // namespace culvert::load::conformance
