// IPV6CP beside IPCP (RFC 5072).
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

constexpr char kOurs[] = "010a 0000000000000001";
constexpr char kPppd[] = "010a a1d8a5e306a755b0";  // as in the capture of a real client
constexpr char kLink[] = "program 0.0.0.0 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc";
constexpr char kProgrammed[] =
    "program 10.77.0.10 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc";

PppSettings Ipv6Settings() {
  PppSettings settings = TestSettings();
  settings.ipv6 = true;
  return settings;
}

class CallIpv6Test : public ::testing::Test {
 protected:
  // ToNetwork goes as far as the first requests of IPCP and IPV6CP.
  void ToNetwork(AuthResult result = Accepted()) {
    s_.OpenLcp();
    s_.Authenticate(std::move(result));
    s_.OpenCcp();
  }
  void OpenIpv6cp() {
    s_.Receive(Ipv6cp(1, 1, kPppd));
    s_.Receive(Ipv6cp(2, 1, kOurs));
    s_.Skip();
  }
  Script s_{Ipv6Settings()};
};

// The order of pppd 2.4.9, with MPPE-128.
TEST_F(CallIpv6Test, Pppd) {
  s_.OpenLcp();
  s_.Authenticate();
  s_.Skip();
  s_.Receive(Ccp(1, 1, "1206 01000040"));
  s_.Receive(Ccp(3, 1, "1206 01000040"));
  s_.Skip();
  s_.Receive(Ccp(2, 2, "1206 01000040"));
  s_.Expect(std::string(kLink) + " required");
  s_.Expect(Ipcp(1, 1, "0306 0a4d0001"));
  s_.Expect(Ipv6cp(1, 1, kOurs));
  s_.Receive(Ipcp(1, 1, "0206 002d0f01 0306 00000000"));
  s_.Expect(Ipcp(4, 1, "0206 002d0f01"));
  s_.Receive(Ipv6cp(1, 1, kPppd));
  s_.Expect(std::string(kLink) + " required ipv6 a1d8a5e306a755b0");
  s_.Expect(Ipv6cp(2, 1, kPppd));
  s_.Receive(Ipcp(2, 1, "0306 0a4d0001"));
  s_.Receive(Ipv6cp(2, 1, kOurs));
  s_.Expect("ipv6 up 0000000000000001 a1d8a5e306a755b0");
  EXPECT_EQ(s_.call().phase(), Phase::kNetwork);  // IPCP is under way
  s_.Receive(Ipcp(1, 2, "0306 0a4d000a"));
  s_.Expect(std::string(kProgrammed) + " required ipv6 a1d8a5e306a755b0");
  s_.Expect(Ipcp(2, 2, "0306 0a4d000a"));
  s_.Expect("up 128");
  s_.Receive("0057 600000000000");
  s_.Expect("ipv6 packet 600000000000");
  EXPECT_FALSE(s_.call().deadline_ms());
}

// Windows sends its request in the burst after the authentication: it waits for CCP.
TEST_F(CallIpv6Test, EarlyRequestsWait) {
  s_.OpenLcp();
  s_.Authenticate();
  s_.Skip();
  s_.Receive("ff0380570105000e010a30665a7e8623e95b");
  s_.ExpectNothing();
  s_.OpenCcp();
  s_.Skip();
  s_.Receive(Ipv6cp(2, 1, kOurs));
  s_.Expect("ipv6 up 0000000000000001 30665a7e8623e95b");
}

TEST_F(CallIpv6Test, IdentifiersOfTheTable) {
  ToNetwork();
  s_.Skip();
  s_.Receive(Ipv6cp(1, 1, "010a 0000000000000000"));  // zero: random, u bit 0
  s_.Expect(Ipv6cp(3, 1, "010a 0404040404040404"));
  s_.Receive(Ipv6cp(1, 2, kOurs));  // ours
  s_.Expect(Ipv6cp(3, 2, "010a 0505050505050505"));
  s_.Receive(Ipv6cp(1, 3));  // missing
  s_.Expect(Ipv6cp(3, 3, "010a 0406060606060606"));
  s_.Receive(Ipv6cp(1, 4, "0204 004f 010a 0000000000000007"));  // compression
  s_.Expect(Ipv6cp(4, 4, "0204 004f"));
  s_.Receive(Ipv6cp(1, 5, "0109 00000000000000"));
  s_.ExpectNothing();
  EXPECT_EQ(s_.counters().malformed_options, 1u);
  s_.Receive(Ipv6cp(3, 1, "010a 0000000000000099"));  // a Nak of ours: we take it
  s_.Expect(Ipv6cp(1, 2, "010a 0000000000000099"));
  s_.Receive(Ipv6cp(1, 6, kOurs));  // nobody has this one any more
  s_.Skip();
  s_.Receive(Ipv6cp(2, 2, "010a 0000000000000099"));
  s_.Expect("ipv6 up 0000000000000099 0000000000000001");
}

TEST_F(CallIpv6Test, IdentifierOfAaa) {
  AuthResult result = Accepted();
  result.grants.ipv6.interface_id = {0, 0, 0, 0, 0, 0, 0, 0x77};
  ToNetwork(std::move(result));
  s_.Skip();
  s_.Receive(Ipv6cp(1, 1, kPppd));
  s_.Expect(Ipv6cp(3, 1, "010a 0000000000000077"));
  s_.Receive(Ipv6cp(1, 2, "010a 0000000000000077"));
  s_.Expect(std::string(kLink) + " required ipv6 0000000000000077");
  s_.Expect(Ipv6cp(2, 2, "010a 0000000000000077"));
}

TEST_F(CallIpv6Test, IdentifierOfAaaThatIsOurs) {
  AuthResult result = Accepted();
  result.grants.ipv6.interface_id = {0, 0, 0, 0, 0, 0, 0, 1};
  ToNetwork(std::move(result));
  s_.Skip();
  s_.Receive(Ipv6cp(1, 1, kOurs));
  s_.Receive(Ipv6cp(2, 1, "010a 0000000000000002"));
  s_.Expect(std::string(kLink) + " required ipv6 0000000000000001");
  s_.Expect(Ipv6cp(2, 1, kOurs));
  s_.Expect("ipv6 up 0000000000000002 0000000000000001");
}

TEST_F(CallIpv6Test, ItsEndLeavesIpv4Alone) {
  ToNetwork();
  s_.OpenIpcp();
  OpenIpv6cp();
  s_.Receive(Ipv6cp(5, 9));
  s_.Expect("ipv6 down");
  s_.Expect(Ipv6cp(6, 9));
  s_.Expect(std::string(kProgrammed) + " required");
  s_.Wait(60000);
  s_.ExpectNothing();
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
  s_.Receive("0057 60");
  s_.ExpectNothing();
  // It may come back.
  s_.Receive(Ipv6cp(1, 10, kPppd));
  s_.Expect(Ipv6cp(1, 2, kOurs));
  s_.Expect(std::string(kProgrammed) + " required ipv6 a1d8a5e306a755b0");
  s_.Expect(Ipv6cp(2, 10, kPppd));
}

TEST_F(CallIpv6Test, AbsenceLeavesIpv4Alone) {
  ToNetwork();
  s_.OpenIpcp();
  s_.Wait(120000);  // no answer
  s_.Skip();
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
  EXPECT_FALSE(s_.SawEnd());
}

TEST_F(CallIpv6Test, ARejectLeavesIpv4Alone) {
  ToNetwork();
  s_.OpenIpcp();
  s_.Receive(Lcp(8, 7, "8057 0101000e" + std::string(kOurs)));
  s_.Wait(60000);
  s_.ExpectNothing();
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
}

TEST_F(CallIpv6Test, WithoutIpv4) {
  ToNetwork();
  OpenIpv6cp();
  EXPECT_EQ(s_.call().phase(), Phase::kNetwork);
  s_.Receive(Lcp(8, 7, "8021 0101000a 0306 0a4d0001"));
  s_.Expect("up 128");
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
  s_.Receive(Ipv6cp(5, 9));
  s_.Skip();
  EXPECT_EQ(s_.call().phase(), Phase::kTerminate);
}

TEST_F(CallIpv6Test, Ipv4MayEndFirst) {
  ToNetwork();
  s_.OpenIpcp();
  OpenIpv6cp();
  s_.Receive(Ipcp(5, 9));
  s_.Expect(Ipcp(6, 9));
  s_.Expect(std::string(kLink) + " required ipv6 a1d8a5e306a755b0");
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
  s_.Wait(60000);
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
}

TEST_F(CallIpv6Test, BothMayEnd) {
  ToNetwork();
  s_.OpenIpcp();
  OpenIpv6cp();
  s_.Receive(Ipv6cp(5, 9));
  s_.Receive(Ipcp(5, 9));
  EXPECT_EQ(s_.call().phase(), Phase::kTerminate);
}

TEST_F(CallIpv6Test, RenegotiationHasABound) {
  ToNetwork();
  s_.OpenIpcp();
  for (int i = 1; i < 20; ++i) {
    OpenIpv6cp();
    s_.Receive(Ipv6cp(2, i + 1, kOurs));
  }
  s_.Skip();
  s_.Wait(60000);
  s_.Skip();
  EXPECT_EQ(s_.call().phase(), Phase::kOpen);
  EXPECT_FALSE(s_.call().deadline_ms());
}

// RFC 8200 s5: 1280 octets must fit.
TEST_F(CallIpv6Test, SmallLinksHaveNone) {
  s_.Start();
  const std::string ours = "0104 0578 0305 c22381 0506 01010101 0702 0802";
  s_.Receive(Lcp(1, 1, "0104 0503 0506 0a0b0c0d"));
  s_.Receive(Lcp(2, 1, ours));
  s_.Skip();
  s_.Receive(Chap(2, 3,
                  "31" + std::string(32, '5') + std::string(16, '0') + std::string(48, '6') + "00" +
                      HexOf("alice")));
  s_.Answer(Accepted());
  s_.OpenCcp();
  s_.Skip();
  s_.Receive(Ipv6cp(1, 1, kPppd));
  s_.Expect(Lcp(8, 2, "8057 0101000e" + std::string(kPppd)));
}

}  // namespace
}  // namespace culvert::ppp::testing
