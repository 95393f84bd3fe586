// Every packet of every captured session that the codecs know, parsed and emitted again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "proto/wire/auth.h"
#include "proto/wire/gre.h"
#include "proto/wire/ppp.h"
#include "proto/wire/pptp.h"
#include "tests/golden/pcap.h"

namespace culvert::testing {
namespace {

using wire::Octets;
namespace gre = wire::gre;
namespace ppp = wire::ppp;
namespace pptp = wire::pptp;
using OctetVector = std::vector<uint8_t>;

// Counts of what one direction of a session holds.
struct Counts {
  int control = 0;  // PPTP control messages
  int bare_acks = 0;
  int lcp = 0, pap = 0, chap = 0, eap = 0, ipcp = 0, ipv6cp = 0, ccp = 0;
  int data = 0;  // IPv4 or MPPE frames
  bool operator==(const Counts&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Counts& c) {
  return out << "control " << c.control << " acks " << c.bare_acks << " lcp " << c.lcp << " pap "
             << c.pap << " chap " << c.chap << " eap " << c.eap << " ipcp " << c.ipcp << " ipv6cp "
             << c.ipv6cp << " ccp " << c.ccp << " data " << c.data;
}

struct Directions {
  Counts client, server;
};

// What tshark counts in outer.pcap (-Y 'pptp or gre', frame.protocols), by sender.
const std::map<std::string, Directions>& Expected() {
  // control, bare acks, LCP, PAP, CHAP, EAP, IPCP, IPV6CP, CCP, data
  static const std::map<std::string, Directions> expected = {
      {"bad-password", {{3, 0, 6, 0, 1, 0, 0, 0, 0, 0}, {2, 0, 6, 0, 2, 0, 0, 0, 0, 0}}},
      {"chap-md5", {{3, 0, 5, 0, 1, 0, 3, 0, 0, 14}, {2, 0, 5, 0, 2, 0, 3, 0, 0, 14}}},
      {"eap-md5", {{3, 1, 5, 0, 0, 2, 3, 0, 0, 14}, {2, 0, 5, 0, 0, 3, 3, 0, 0, 14}}},
      {"ipv6cp", {{3, 2, 6, 0, 1, 0, 3, 2, 2, 7}, {2, 1, 6, 0, 2, 0, 3, 2, 2, 7}}},
      {"mschap-128", {{3, 0, 6, 0, 1, 0, 3, 0, 2, 14}, {2, 0, 6, 0, 2, 0, 3, 0, 2, 14}}},
      {"mschap2-128", {{3, 2, 6, 0, 1, 0, 3, 0, 2, 14}, {2, 0, 6, 0, 2, 0, 3, 0, 2, 14}}},
      {"mschap2-128-long", {{3, 3, 7, 0, 1, 0, 3, 0, 2, 4200}, {2, 0, 7, 0, 2, 0, 3, 0, 2, 4200}}},
      {"mschap2-128-loss", {{3, 7, 10, 0, 1, 0, 3, 0, 2, 45}, {2, 0, 10, 0, 2, 0, 3, 0, 2, 45}}},
      {"mschap2-128st", {{3, 1, 7, 0, 1, 0, 3, 0, 2, 14}, {2, 2, 6, 0, 2, 0, 3, 0, 2, 14}}},
      {"mschap2-128st-long",
       {{3, 2, 8, 0, 1, 0, 3, 0, 2, 4200}, {2, 1, 7, 0, 2, 0, 3, 0, 2, 4200}}},
      {"mschap2-128st-loss", {{3, 3, 12, 0, 1, 0, 3, 0, 8, 45}, {2, 4, 11, 0, 2, 0, 3, 0, 8, 39}}},
      {"mschap2-40", {{3, 5, 6, 0, 1, 0, 3, 0, 2, 14}, {2, 0, 6, 0, 2, 0, 3, 0, 2, 14}}},
      {"mschap2-40st", {{3, 1, 7, 0, 1, 0, 3, 0, 2, 14}, {2, 1, 6, 0, 2, 0, 3, 0, 2, 14}}},
      {"mschap2-none", {{3, 0, 5, 0, 1, 0, 3, 0, 0, 14}, {2, 0, 5, 0, 2, 0, 3, 0, 0, 14}}},
      {"pap", {{3, 0, 5, 1, 0, 0, 3, 0, 0, 14}, {2, 0, 5, 1, 0, 0, 3, 0, 0, 14}}},
  };
  return expected;
}

OctetVector ToOctets(Octets octets) { return {octets.begin(), octets.end()}; }

// CheckControlStream parses a whole direction of the control connection; returns the number of
// messages, which emitted one after the other must give the stream.
int CheckControlStream(const TcpStream& stream) {
  EXPECT_TRUE(stream.Complete());
  const OctetVector bytes = stream.Bytes();
  OctetVector emitted;
  int count = 0;
  pptp::StreamParser parser;
  for (Octets in = bytes;; ++count) {
    const auto message = parser.Next(in);
    if (!message.has_value()) {
      EXPECT_EQ(message.error(), pptp::Error::kIncomplete) << pptp::ToString(message.error());
      break;
    }
    const OctetVector octets = pptp::Emit(*message);
    emitted.insert(emitted.end(), octets.begin(), octets.end());
  }
  EXPECT_EQ(emitted, bytes);
  return count;
}

void CheckOptions(const ppp::ControlPacket& packet) {
  const auto options = ppp::ParseOptions(packet.data);
  ASSERT_TRUE(options.has_value());
  ppp::OptionList list;
  for (const ppp::Option& option : *options) {
    list.Add(option.type, option.value);
  }
  EXPECT_EQ(ToOctets(list.octets()), ToOctets(packet.data));
}

void CheckPap(const ppp::ControlPacket& packet) {
  if (packet.code == wire::pap::kRequest) {
    const auto request = wire::pap::ParseRequest(packet.data);
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(request->peer_id, "alice");
    EXPECT_EQ(wire::pap::EmitRequest(*request), ToOctets(packet.data));
  } else {
    const auto message = wire::pap::ParseReply(packet.data);
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(wire::pap::EmitReply(*message), ToOctets(packet.data));
  }
}

void CheckChap(const ppp::ControlPacket& packet) {
  if (packet.code == wire::chap::kSuccess || packet.code == wire::chap::kFailure) {
    return;  // text to the end, which CheckFrame has compared
  }
  const auto value = wire::chap::ParseValue(packet.data);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->name, packet.code == wire::chap::kResponse ? "alice" : "rig-server");
  EXPECT_EQ(wire::chap::EmitValue(*value), ToOctets(packet.data));
}

int* CounterOf(uint16_t protocol, Counts* counts) {
  switch (protocol) {
    case ppp::kLcp:
      return &counts->lcp;
    case ppp::kPap:
      return &counts->pap;
    case ppp::kChap:
      return &counts->chap;
    case ppp::kEap:
      return &counts->eap;
    case ppp::kIpcp:
      return &counts->ipcp;
    case ppp::kIpv6cp:
      return &counts->ipv6cp;
    case ppp::kCcp:
      return &counts->ccp;
    case ppp::kIpv4:
    case ppp::kMppe:
      return &counts->data;
    default:
      return nullptr;
  }
}

void CheckFrame(Octets octets, Counts* counts) {
  const auto frame = ppp::ParseFrame(octets);
  ASSERT_TRUE(frame.has_value());
  int* counter = CounterOf(frame->protocol, counts);
  ASSERT_NE(counter, nullptr) << std::hex << frame->protocol;
  ++*counter;
  if (counter == &counts->data) {
    return;
  }
  const auto packet = ppp::ParseControl(frame->information);
  ASSERT_TRUE(packet.has_value());
  const bool has_address = octets[0] == 0xff;
  EXPECT_EQ(ppp::EmitControl(frame->protocol, packet->code, packet->identifier, packet->data),
            ToOctets(octets.subspan(has_address ? 2 : 0)));
  if (frame->protocol == ppp::kPap) {
    CheckPap(*packet);
  } else if (frame->protocol == ppp::kChap) {
    CheckChap(*packet);
  } else if (frame->protocol != ppp::kEap && packet->code >= ppp::kConfigureRequest &&
             packet->code <= ppp::kConfigureReject) {
    CheckOptions(*packet);
  }
}

void CheckGre(Octets octets, Counts* counts) {
  const auto header = gre::Parse(octets);
  ASSERT_TRUE(header.has_value());
  uint8_t emitted[gre::kMaxHeaderLen];
  const size_t len = gre::Emit(*header, emitted);
  ASSERT_EQ(len + (header->has_sequence ? header->payload_len : 0), octets.size());
  EXPECT_EQ(ToOctets(Octets(emitted, len)), ToOctets(octets.first(len)));
  if (header->has_sequence) {
    CheckFrame(octets.subspan(len), counts);
  } else {
    ++counts->bare_acks;
  }
}

TEST(Golden, ThereAreAllSessions) {
  std::vector<std::string> names;
  for (const auto& [name, counts] : Expected()) {
    names.push_back(name);
  }
  EXPECT_EQ(names.size(), 15u);
  EXPECT_EQ(SessionNames(), names);
}

class GoldenSession : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenSession, ParsesAndIsEmittedIdentically) {
  const auto session = LoadSession(GetParam());
  ASSERT_TRUE(session.has_value()) << session.error();
  Directions seen;
  seen.client.control = CheckControlStream(session->control_from_client);
  seen.server.control = CheckControlStream(session->control_from_server);
  for (const GrePacket& packet : session->gre) {
    CheckGre(packet.gre(), packet.from_client ? &seen.client : &seen.server);
  }
  EXPECT_EQ(seen.client, Expected().at(GetParam()).client);
  EXPECT_EQ(seen.server, Expected().at(GetParam()).server);
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenSession, ::testing::ValuesIn(SessionNames()), TestName);

TEST(Golden, EverySessionButTheRefusedOneHasInnerPackets) {
  for (const std::string& name : SessionNames()) {
    const auto session = LoadSession(name);
    ASSERT_TRUE(session.has_value()) << session.error();
    EXPECT_EQ(session->inner.empty(), name == "bad-password") << name;
  }
}

}  // namespace
}  // namespace culvert::testing
