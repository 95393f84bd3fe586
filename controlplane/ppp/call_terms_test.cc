// What comes with the user is applied: MPPE policy, MTU, name servers.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"
#include "controlplane/ppp/terms.h"
#include "proto/wire/ppp.h"

namespace culvert::ppp::testing {
namespace {

PppSettings Policy(MppePolicy mppe) {
  PppSettings settings = TestSettings();
  settings.mppe = mppe;
  return settings;
}

CallGrants Grant(MppeGrant mppe) {
  CallGrants grants;
  grants.mppe = mppe;
  return grants;
}

TEST(Terms, AUserMayTightenButNotLoosen) {
  struct {
    MppePolicy configured;
    MppeGrant granted;
    MppePolicy effective;
    bool possible;
  } const rows[] = {
      {MppePolicy::kAllow, MppeGrant::kDeny, MppePolicy::kDeny, true},
      {MppePolicy::kAllow, MppeGrant::kAllow, MppePolicy::kAllow, true},
      {MppePolicy::kAllow, MppeGrant::kRequire, MppePolicy::kRequire, true},
      {MppePolicy::kRequire, MppeGrant::kAllow, MppePolicy::kRequire, true},
      {MppePolicy::kRequire, MppeGrant::kRequire, MppePolicy::kRequire, true},
      {MppePolicy::kRequire, MppeGrant::kDeny, MppePolicy::kDeny, false},
      {MppePolicy::kDeny, MppeGrant::kAllow, MppePolicy::kDeny, true},
      {MppePolicy::kDeny, MppeGrant::kDeny, MppePolicy::kDeny, true},
      {MppePolicy::kDeny, MppeGrant::kRequire, MppePolicy::kRequire, false},
  };
  for (const auto& row : rows) {
    const Terms terms(Policy(row.configured), Grant(row.granted));
    EXPECT_EQ(terms.mppe, row.effective);
    EXPECT_EQ(terms.conflict.empty(), row.possible) << terms.conflict;
  }
}

TEST(Terms, StrengthsAreThoseThatBothAllow) {
  PppSettings settings = TestSettings();
  settings.mppe_40 = false;
  CallGrants grants;
  grants.mppe_strengths = CallGrants::kMppe40 | CallGrants::kMppe56;
  const Terms terms(settings, grants);
  EXPECT_EQ(terms.UsableStrengths(Accepted().keys), wire::ppp::ccp::k56Bit);
  EXPECT_EQ(terms.UsableStrengths(MppeStartKeys{}), 0u);
}

TEST(Terms, MtuOnlyGoesDown) {
  CallGrants grants;
  grants.mtu = 1300;
  EXPECT_EQ(Terms(TestSettings(), grants).mtu, 1300);
  grants.mtu = 9000;
  EXPECT_EQ(Terms(TestSettings(), grants).mtu, 1500);
}

TEST(CallTerms, UserThatMustEncrypt) {
  Script s(Policy(MppePolicy::kAllow));
  s.OpenLcp();
  AuthResult accepted = Accepted();
  accepted.grants = Grant(MppeGrant::kRequire);
  accepted.grants.mppe_strengths = CallGrants::kMppe128;
  s.Authenticate(std::move(accepted));
  s.Skip();
  s.Wait(1000);
  s.Expect(Ccp(1, 1, "1206 01000040"));
  s.ExpectNothing();  // IPCP waits for CCP
  s.Receive(Ccp(4, 1, "1206 01000040"));
  s.Expect(Lcp(5, 2, HexOf("MPPE is required")));
}

TEST(CallTerms, UserThatMustEncryptButHasNoKeys) {
  Script s(Policy(MppePolicy::kAllow));
  s.OpenLcp();
  AuthResult accepted = Accepted();
  accepted.grants = Grant(MppeGrant::kRequire);
  accepted.keys = {};
  s.Authenticate(std::move(accepted));
  s.Skip();
  s.Receive(Lcp(6, 2));
  s.Expect("ended MPPE is required, but the authentication gave no key for it");
}

TEST(CallTerms, UserThatMayNotEncrypt) {
  Script s(Policy(MppePolicy::kAllow));
  s.OpenLcp();
  AuthResult accepted = Accepted();
  accepted.grants = Grant(MppeGrant::kDeny);
  s.Authenticate(std::move(accepted));
  s.Expect(Chap(3, 3, HexOf("S=" + std::string(40, 'A') + " M=Access granted")));
  s.Expect("authenticated alice");
  s.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s.Receive(Ccp(1, 1, "1206 01000040"));
  s.Expect(Lcp(8, 2, "80fd 0101000a 120601000040"));
}

TEST(CallTerms, UserWhoseTermsCannotBeMet) {
  Script s(Policy(MppePolicy::kRequire));
  s.OpenLcp();
  AuthResult accepted = Accepted();
  accepted.grants = Grant(MppeGrant::kDeny);
  s.Authenticate(std::move(accepted));
  s.Skip();
  s.Receive(Lcp(6, 2));
  s.Expect("ended MPPE is required, but the user may not have it");
  EXPECT_EQ(s.end_kind(), EndKind::kEncryption);
}

TEST(CallTerms, MtuAndNameServersOfTheUser) {
  Script s(Policy(MppePolicy::kDeny));
  s.OpenLcp();
  AuthResult accepted = Accepted();
  accepted.grants.mtu = 1300;
  accepted.grants.dns = {0x09090909};
  accepted.grants.wins = {0x0a000005, 0x0a000006};
  s.Authenticate(std::move(accepted));
  s.Skip();
  s.Receive(Ipcp(1, 1, "0306 00000000 8106 00000000 8206 00000000 8306 00000000 8406 00000000"));
  s.Expect(Ipcp(4, 1, "8306 00000000"));  // the user has one only
  s.Receive(Ipcp(1, 2, "0306 00000000 8106 00000000 8206 00000000 8406 00000000"));
  s.Expect(Ipcp(3, 2, "0306 0a4d000a 8106 09090909 8206 0a000005 8406 0a000006"));
  s.Receive(Ipcp(1, 3, "0306 0a4d000a 8106 09090909 8206 0a000005 8406 0a000006"));
  s.Expect("program 10.77.0.10 rx - tx - mru 1500 mtu 1300 acfc pfc");
}

TEST(CallTerms, TheNextUserOfTheCallHasItsOwn) {
  Script s(Policy(MppePolicy::kAllow));
  s.OpenLcp();
  AuthResult accepted = Accepted();
  accepted.grants = Grant(MppeGrant::kDeny);
  s.Authenticate(std::move(accepted));
  s.Skip();
  s.Receive(Lcp(1, 2, "0506 0a0b0c0e"));  // all over again
  s.Skip();
  s.Receive(Lcp(2, 2, "0104 0578 0305 c22381 0506 04040404 0702 0802"));
  s.Expect(Chap(1, 9, "10" + std::string("06060606060606060606060606060606") + HexOf("culvert")));
  s.Receive(Chap(2, 9,
                 "31" + std::string(32, '5') + std::string(16, '0') + std::string(48, '6') + "00" +
                     HexOf("bob")));
  s.Expect("authenticate bob");
  s.Answer(Accepted());
  s.Skip();
  s.Receive(Ccp(1, 1, "1206 01000040"));
  s.Expect("program 0.0.0.0 rx 128/2/22 tx - mru 1500 mtu 1500");
  s.Expect(Ccp(2, 1, "1206 01000040"));
}

}  // namespace
}  // namespace culvert::ppp::testing
