// What Windows clients send that others do not, and what else has its own protocol: each is
// answered as its RFC asks. docs/ppp.md names these tests.
#include <gtest/gtest.h>

#include "controlplane/ppp/call_script.h"

namespace culvert::ppp::testing {
namespace {

const std::string kSuccess = HexOf("S=" + std::string(40, 'A') + " M=Access granted");
const std::string kResponse = Chap(2, 3,
                                   "31" + std::string(32, '5') + std::string(16, '0') +
                                       std::string(48, '6') + "00" + HexOf("alice"));
const std::string kOurs = "0104 0578 0305 c22381 0506 01010101 0702 0802";
const std::string kIdentification = "0c 02 0012 12b86bf0 4d5352415356352e3230";

PppSettings Required() {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kRequire;
  return settings;
}

void OpenAll(Script* s) {
  s->OpenLcp();
  s->Authenticate();
  s->OpenCcp();
  s->OpenIpcp();
  EXPECT_EQ(s->call().phase(), Phase::kOpen);
}

// Callback (RFC 1570 s2.3; 6 is CBCP), MRRU, endpoint and link discriminator, short sequence
// numbers (RFC 1990, RFC 2125) in one request: one Reject with all of them, and the call goes on.
TEST(CallWindows, CallbackAndMultilinkOptionsAreRejectedTogether) {
  Script s(Required());
  s.Start();
  s.Skip();
  const std::string wanted = "0104 0578 0506 12b86bf0 0702 0802 ";
  const std::string refused =
      "0d03 06 1104 064e 1202 1317 01 " + std::string(40, 'a') + " 1704 002a";
  s.Receive(Lcp(1, 0, wanted + refused));
  s.Expect(Lcp(4, 0, refused));
  s.Receive(Lcp(1, 1, wanted));
  s.Expect(Lcp(2, 1, wanted));
  s.Receive(Lcp(2, 1, kOurs));
  s.Expect(Chap(1, 3, "10 03030303030303030303030303030303" + HexOf("culvert")));
}

// RFC 1570 s2.1, s2.2: never answered, in no phase.
TEST(CallWindows, IdentificationAndTimeRemainingInEveryPhase) {
  Script s(Required());
  const auto both = [&s] {
    s.Receive("c021" + kIdentification);
    s.Receive(Lcp(13, 3, "12b86bf0 ffffffff" + HexOf("for ever")));
    s.ExpectNothing();
  };
  s.Start();
  s.Skip();
  both();  // establish
  s.Receive(Lcp(1, 1, "0506 12b86bf0"));
  s.Skip();
  both();  // our Ack is out
  s.Receive(Lcp(2, 1, kOurs));
  s.Skip();
  both();  // authenticate
  s.Receive(kResponse);
  s.Skip();
  both();  // while AAA thinks
  s.Answer(Accepted());
  s.Skip();
  both();  // network
  s.OpenCcp();
  both();
  s.OpenIpcp();
  both();  // open
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
  s.Terminate("test");
  s.Skip();
  both();  // terminate
  s.Receive(Lcp(6, 2));
  EXPECT_TRUE(s.SawEnd());
  EXPECT_EQ(s.counters().unknown_codes, 0u);
  EXPECT_EQ(s.counters().malformed_packets, 0u);
}

TEST(CallWindows, NcpPacketsBeforeTheVerdictWaitForIt) {
  Script s(Required());
  s.OpenLcp();
  s.Skip();
  s.Receive(kResponse);
  s.Expect("authenticate alice");
  s.Receive(Ccp(1, 6, "1206 01000000"));
  s.Receive(Ipcp(1, 7, "0306 00000000"));
  s.ExpectNothing();
  s.Answer(Accepted());
  s.Expect(Chap(3, 3, kSuccess));
  s.Expect("authenticated alice");
  s.Expect(Ccp(1, 1, "1206 010000e0"));
  s.Expect(Ccp(3, 6, "1206 01000040"));
}

// CCP and IPCP end up open in whichever order their packets come: nothing is answered with a
// Terminate-Ack or a Protocol-Reject meanwhile.
TEST(CallWindows, CcpAndIpcpInAnyOrder) {
  const std::string ccp_request = Ccp(1, 1, "1206 01000040");
  const std::string ipcp_request = Ipcp(1, 1, "0306 0a4d000a");
  for (const MppePolicy policy : {MppePolicy::kAllow, MppePolicy::kRequire}) {
    for (int order = 0; order < 4; ++order) {
      PppSettings settings = TestSettings();
      settings.mppe = policy;
      Script s(std::move(settings));
      s.OpenLcp();
      s.Authenticate();
      s.Skip();
      const bool ipcp_first = (order & 1) != 0;
      s.Receive(ipcp_first ? ipcp_request : ccp_request);
      if ((order & 2) != 0) {
        s.Wait(900);  // slow
        s.Skip();
      }
      s.Receive(ipcp_first ? ccp_request : ipcp_request);
      s.Receive(Ccp(3, 1, "1206 01000040"));
      s.Receive(Ccp(2, 2, "1206 01000040"));
      s.Receive(Ipcp(2, 1, "0306 0a4d0001"));
      EXPECT_EQ(s.call().phase(), Phase::kOpen) << order;
      EXPECT_EQ(s.call().mppe_bits(), 128) << order;
      EXPECT_EQ(s.counters().unknown_protocols, 0u);
    }
  }
}

// The CCP table of RFC 3078 s2: what we answer when 128 bit, stateless, is all that is allowed.
TEST(CallWindows, EveryMppeRequest) {
  PppSettings settings = Required();
  settings.mppe_40 = settings.mppe_56 = false;
  const struct {
    const char* request;
    const char* answer;  // Nak; empty: Ack
  } rows[] = {
      {"01000040", ""},         {"01000000", "01000040"},  // Windows 10
      {"010000e1", "01000040"},                            // Windows XP
      {"00000040", "01000040"},                            // stateful
      {"01000020", "01000040"},                            // 40 bit
      {"01000050", "01000040"},                            // the obsolete bit
      {"01000041", "01000040"},                            // MPPC
      {"00000001", "01000040"},                            // MPPC alone
      {"00000000", "01000040"},                            // all off
  };
  for (const auto& row : rows) {
    Script s(settings);
    s.OpenLcp();
    s.Authenticate();
    s.Skip();
    s.Receive(Ccp(1, 9, "1206" + std::string(row.request)));
    if (*row.answer == '\0') {
      s.Expect("program 0.0.0.0 rx 128/1/22 tx - mru 1500 mtu 1500 acfc pfc required");
      s.Expect(Ccp(2, 9, "1206" + std::string(row.request)));
    } else {
      s.Expect(Ccp(3, 9, "1206" + std::string(row.answer)));
    }
    s.ExpectNothing();
  }
}

// RFC 1962: all other compressors are rejected first, unchanged, in one go.
TEST(CallWindows, OtherCompressorsAreRejected) {
  Script s(Required());
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  const std::string others = "1a04 7800 1804 7800 1503 2f 1105 000101 0102 0202 0006 00000100";
  s.Receive(Ccp(1, 1, "1206 01000040" + others));
  s.Expect(Ccp(4, 1, others));
}

// RFC 1661 s5.7: what is not built in is rejected whole, in the open link only.
TEST(CallWindows, ProtocolsThatAreNotBuiltIn) {
  const char* const protocols[] = {
      "c027",  // SPAP
      "8023",  // OSINLCP
      "8029",  // ATCP
      "802b",  // IPXCP
      "8031",  // BCP
      "803f",  // NBFCP
      "8053",  // ECP
      "8055",  // ECP of one link
      "80fb",  // CCP of one link
      "8235",  // ACSCP
      "8281",  // MPLSCP
      "c025",  // LQR
      "c029",  // CBCP
      "c02b",  // BACP
      "c02d",  // BAP
      "002b",  // IPX
      "002d",  // VJ compressed TCP
      "002f",  // VJ uncompressed TCP
      "003d",  // multilink
      "0053",  // encrypted by ECP
      "00fb",  // compressed on one link
  };
  for (const char* protocol : protocols) {
    Script s;
    s.OpenLcp();
    s.Skip();
    s.Receive(std::string(protocol) + "0101 0004 abcd");
    s.Expect(Lcp(8, 2, std::string(protocol) + "0101 0004 abcd"));
    s.ExpectNothing();
    EXPECT_EQ(s.counters().unknown_protocols, 1u);
    Script early;
    early.Start();
    early.Skip();
    early.Receive(std::string(protocol) + "0101 0004 abcd");
    early.ExpectNothing();
  }
}

// LQR (RFC 1989): the option is rejected, so that no report is due.
TEST(CallWindows, LinkQualityIsRejected) {
  Script s;
  s.Start();
  s.Skip();
  s.Receive(Lcp(1, 1, "0408 c025 000003e8 0506 0a0b0c0d"));
  s.Expect(Lcp(4, 1, "0408 c025 000003e8"));
}

// VJ (RFC 1332 s4), the old address option, and a netmask: rejected.
TEST(CallWindows, IpcpOptionsThatAreRejected) {
  PppSettings settings = TestSettings();
  settings.mppe = MppePolicy::kDeny;
  Script s(std::move(settings));
  s.OpenLcp();
  s.Authenticate();
  s.Skip();
  const std::string refused = "0206 002d0f01 010a 00000000 00000000 9006 ffffff00";
  s.Receive(Ipcp(1, 1, "0306 00000000" + refused));
  s.Expect(Ipcp(4, 1, refused));
}

// A client may also authenticate us, it thinks.
TEST(CallWindows, WeDoNotAuthenticateToClients) {
  for (const char* method : {"0304 c023", "0305 c22381", "0304 c227"}) {
    Script s;
    s.Start();
    s.Skip();
    s.Receive(Lcp(1, 1, std::string(method) + "0506 0a0b0c0d"));
    s.Expect(Lcp(4, 1, method));
  }
}

// LCP anew in every phase: authentication and what follows start again, and nothing is carried
// in clear or under old keys meanwhile.
TEST(CallWindows, LcpAgainInEveryPhase) {
  for (int phase = 0; phase < 4; ++phase) {
    Script s(Required());
    s.OpenLcp();
    if (phase >= 1) {
      s.Authenticate();
    }
    if (phase >= 2) {
      s.OpenCcp();
    }
    if (phase >= 3) {
      s.OpenIpcp();
    }
    s.Skip();
    s.Receive(Lcp(1, 7, "0506 0a0b0c0e"));
    EXPECT_EQ(s.call().phase(), Phase::kEstablish) << phase;
    EXPECT_EQ(s.call().mppe_bits(), 0) << phase;
    s.Skip();
    s.Receive(Ccp(1, 3, "1206 01000040"));
    s.Receive(Ipcp(1, 3, "0306 0a4d000a"));
    s.ExpectNothing();  // not their phase
  }
}

TEST(CallWindows, IpcpAgainInOpened) {
  Script s(Required());
  OpenAll(&s);
  s.Receive(Ipcp(1, 9, "0306 0a4d000a"));
  s.Expect(Ipcp(1, 2, "0306 0a4d0001"));
  s.Expect("program 10.77.0.10 rx 128/1/22 tx 128/1/11 mru 1500 mtu 1500 acfc pfc required");
  s.Expect(Ipcp(2, 9, "0306 0a4d000a"));
  s.Receive(Ipcp(2, 2, "0306 0a4d0001"));
  EXPECT_EQ(s.call().phase(), Phase::kOpen);
}

}  // namespace
}  // namespace culvert::ppp::testing
