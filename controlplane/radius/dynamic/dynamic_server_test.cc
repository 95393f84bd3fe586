// RFC 5176 request by request: who is heard, what is refused and why, what comes back.
#include "controlplane/radius/dynamic/dynamic_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/signing.h"
#include "tests/vectors/vectors.h"

namespace culvert::radius {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using Bytes = std::vector<uint8_t>;

Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }
const Bytes kSecret = BytesOf("testing123");
constexpr int64_t kNowS = 1'800'000'000;

config::Ipv6Prefix Prefix(const std::string& text) { return *config::ParsePrefix6(text); }
Source From(const std::string& address, uint16_t port = 40'000) {
  return {*config::ParseIpv6(address), port};
}
const Source kClient = From("::ffff:192.0.2.10");

DynamicSettings Settings() {
  DynamicSettings settings;
  settings.clients.push_back({.from = Prefix("::ffff:192.0.2.0/120"), .secret = Secret(kSecret)});
  settings.clients.push_back({.from = Prefix("2001:db8::5/128"),
                              .secret = Secret(BytesOf("strict")),
                              .require_message_authenticator = true,
                              .require_event_timestamp = true});
  settings.clients.push_back(
      {.from = Prefix("::ffff:192.0.2.77/128"), .secret = Secret(BytesOf("other"))});
  settings.nas = {.identifier = "culvert",
                  .ipv4 = 0xc6336401,
                  .ipv6 = config::ParseIpv6("2001:db8::1"),
                  .host_name = ""};
  return settings;
}

struct Request {
  Code code = Code::kCoaRequest;
  uint8_t identifier = 7;
  bool message_authenticator = false;
  AttributeList attributes = {};
  Bytes secret = kSecret;

  Request& Text(AttributeId id, const std::string& text) {
    attributes.AddText(id, text);
    return *this;
  }
  Request& Number(AttributeId id, uint32_t value) {
    attributes.AddInteger(id, value);
    return *this;
  }
  [[nodiscard]] Bytes Build() const {
    return *BuildRequest(
        {.code = code, .identifier = identifier, .message_authenticator = message_authenticator},
        attributes, secret);
  }
};

Request Coa() { return {}; }
Request Disconnect() { return {.code = Code::kDisconnectRequest}; }

class DynamicServerTest : public ::testing::Test {
 protected:
  DynamicServer::Effect Send(const Bytes& datagram, const Source& source = kClient) {
    return server_.OnDatagram(datagram, source, now_ms_, kNowS);
  }
  DynamicServer::Effect Send(const Request& request, const Source& source = kClient) {
    return Send(request.Build(), source);
  }
  // Order is what a request that must be taken asks for.
  Order OrderOf(const Request& request) {
    DynamicServer::Effect effect = Send(request);
    EXPECT_TRUE(effect.order.has_value());
    EXPECT_TRUE(effect.reply.empty()) << "the answer comes when it is carried out";
    return effect.order.value_or(Order{});
  }
  // CauseOf is the Error-Cause of the NAK that a request gets at once.
  static uint32_t CauseIn(const Bytes& reply) {
    const auto packet = Parse(reply);
    if (!packet || packet->Find(attr::kErrorCause) == nullptr) {
      return 0;
    }
    return IntegerOf(packet->Find(attr::kErrorCause)->value).value_or(0);
  }
  uint32_t CauseOf(const Request& request) {
    const DynamicServer::Effect effect = Send(request);
    EXPECT_FALSE(effect.order.has_value());
    const auto packet = Parse(effect.reply);
    EXPECT_TRUE(packet &&
                packet->code ==
                    (request.code == Code::kCoaRequest ? Code::kCoaNak : Code::kDisconnectNak));
    return CauseIn(effect.reply);
  }
  uint64_t DroppedAs(Dropped dropped) const {
    return server_.counters().dropped[static_cast<size_t>(dropped)];
  }

  uint64_t now_ms_ = 5'000'000;
  DynamicServer server_{Settings()};
};

TEST_F(DynamicServerTest, TheVectorsDisconnect) {
  const auto& vector = Vectors()["radius_disconnect"];
  const Bytes request = FromHex(vector["disconnect_request"].get<std::string>());
  const DynamicServer::Effect effect = Send(request);
  ASSERT_TRUE(effect.order.has_value());
  EXPECT_TRUE(effect.order->disconnect);
  EXPECT_EQ(effect.order->session.user, "User");
  EXPECT_TRUE(effect.order->session.nobody) << "0000ABCD is no session id of ours";
  const DynamicServer::Answer ack = server_.Finish(effect.ticket, std::nullopt);
  EXPECT_EQ(ack.source, kClient);
  EXPECT_EQ(ToHex(ack.reply), vector["disconnect_ack"].get<std::string>());

  DynamicServer other(Settings());
  const auto again = other.OnDatagram(request, kClient, now_ms_, kNowS);
  EXPECT_EQ(ToHex(other.Finish(again.ticket, ErrorCause::kSessionNotFound).reply),
            vector["disconnect_nak_503"].get<std::string>());
}

TEST_F(DynamicServerTest, EveryKeyOfASession) {
  const Order order = OrderOf(Disconnect()
                                  .Text(attr::kUserName, "alice")
                                  .Number(attr::kNasPort, 77)
                                  .Number(attr::kFramedIpAddress, 0x0a4d000a)
                                  .Text(attr::kCallingStationId, "203.0.113.9")
                                  .Text(attr::kCalledStationId, "198.51.100.1")
                                  .Text(attr::kAcctSessionId, "00000000deadBEEF")
                                  .Text(attr::kNasIdentifier, "culvert")
                                  .Number(attr::kNasIpAddress, 0xc6336401));
  EXPECT_EQ(order.session.user, "alice");
  EXPECT_EQ(order.session.nas_port, 77u);
  EXPECT_EQ(order.session.client_address, 0x0a4d000au);
  EXPECT_EQ(order.session.peer_address, 0xcb007109u);
  EXPECT_EQ(order.session.local_address, 0xc6336401u);
  EXPECT_EQ(order.session.id, 0xdeadbeefu);
  EXPECT_FALSE(order.session.nobody);
}

TEST_F(DynamicServerTest, EveryChange) {
  Request request = Coa().Text(attr::kUserName, "alice");
  request.Number(attr::kSessionTimeout, 3600)
      .Number(attr::kIdleTimeout, 300)
      .Number(attr::kAcctInterimInterval, 600)
      .Text(attr::kFilterId, "gold")
      .Text(attr::kNasFilterRule, "permit in ip ")
      .Text(attr::kNasFilterRule, "from any to any")
      .Text(attr::kClass, "one")
      .Text(attr::kClass, "two")
      .Number(attr::kWisprBandwidthMaxUp, 1'000'000)
      .Number(attr::kWisprBandwidthMaxDown, 0)
      .Number(attr::kServiceType, 2)
      .Number(attr::kFramedProtocol, 1);
  const Order order = OrderOf(request);
  EXPECT_FALSE(order.disconnect);
  EXPECT_EQ(order.change.session_timeout_s, 3600u);
  EXPECT_EQ(order.change.idle_timeout_s, 300u);
  EXPECT_EQ(order.change.interim_interval_s, 600u);
  EXPECT_EQ(order.change.filter_id, "gold");
  EXPECT_EQ(order.change.filter_rules, "permit in ip from any to any");
  EXPECT_EQ(order.change.upstream_bps, 1'000'000u);
  EXPECT_EQ(order.change.downstream_bps, 0u);
  EXPECT_EQ(order.change.classes, (std::vector<Bytes>{BytesOf("one"), BytesOf("two")}));
}

TEST_F(DynamicServerTest, RatesAndQuotaOfOtherVendors) {
  const Order order = OrderOf(Coa()
                                  .Text(attr::kUserName, "alice")
                                  .Text(attr::kMikrotikRateLimit, "1M/2M")
                                  .Number(attr::kSessionOctetsLimit, 1'000'000));
  EXPECT_EQ(order.change.upstream_bps, 1'000'000u);
  EXPECT_EQ(order.change.downstream_bps, 2'000'000u);
  EXPECT_EQ(order.change.octet_quota, 1'000'000u);
}

TEST_F(DynamicServerTest, NasPortIdIsNasPort) {
  const Order same =
      OrderOf(Disconnect().Number(attr::kNasPort, 77).Text(attr::kNasPortId, NasPortId(77)));
  EXPECT_EQ(same.session.nas_port, 77u);
  EXPECT_FALSE(same.session.nobody);
  EXPECT_EQ(OrderOf(Disconnect().Text(attr::kNasPortId, NasPortId(78))).session.nas_port, 78u);
  EXPECT_TRUE(OrderOf(Disconnect().Number(attr::kNasPort, 77).Text(attr::kNasPortId, NasPortId(7)))
                  .session.nobody);
  EXPECT_TRUE(OrderOf(Disconnect().Text(attr::kNasPortId, "ether1")).session.nobody);
}

TEST_F(DynamicServerTest, AStrangerHearsNothing) {
  const Bytes request = Disconnect().Text(attr::kUserName, "alice").Build();
  for (const char* stranger : {"::ffff:192.0.3.10", "2001:db8::6", "::1"}) {
    const auto effect = Send(request, From(stranger));
    EXPECT_EQ(effect.dropped, Dropped::kStranger);
    EXPECT_TRUE(effect.reply.empty());
    EXPECT_FALSE(effect.order.has_value());
  }
  EXPECT_EQ(DroppedAs(Dropped::kStranger), 3u);
}

TEST_F(DynamicServerTest, AWrongSecretHearsNothing) {
  Request request = Disconnect().Text(attr::kUserName, "alice");
  request.secret = BytesOf("guess");
  EXPECT_EQ(Send(request).dropped, Dropped::kBadAuthenticator);
  request.secret = kSecret;
  EXPECT_EQ(Send(request, From("::ffff:192.0.2.77")).dropped, Dropped::kBadAuthenticator)
      << "the longest prefix names the secret";
  Bytes changed = request.Build();
  for (size_t i = 0; i < changed.size(); ++i) {
    changed[i] ^= 1;
    EXPECT_TRUE(Send(changed).dropped.has_value()) << i;
    changed[i] ^= 1;
  }
  EXPECT_TRUE(Send(changed).order.has_value());
}

TEST_F(DynamicServerTest, EveryTruncationIsDropped) {
  const Bytes whole = Disconnect().Text(attr::kUserName, "alice").Build();
  for (size_t len = 0; len < whole.size(); ++len) {
    EXPECT_EQ(Send(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(len))).dropped,
              Dropped::kMalformed);
  }
}

TEST_F(DynamicServerTest, OnlyTheTwoRequestsAreHeard) {
  Request request{.code = Code::kAccountingRequest};
  EXPECT_EQ(Send(request.Text(attr::kUserName, "alice")).dropped, Dropped::kWrongCode);
  const Bytes own = Disconnect().Text(attr::kUserName, "alice").Build();
  const auto effect = Send(own);
  EXPECT_EQ(Send(server_.Finish(effect.ticket, std::nullopt).reply).dropped, Dropped::kWrongCode)
      << "our answer, sent back to us";
}

TEST_F(DynamicServerTest, MessageAuthenticatorIsCheckedWhenThere) {
  Request request = Coa().Text(attr::kUserName, "alice");
  request.message_authenticator = true;
  const auto effect = Send(request);
  ASSERT_TRUE(effect.order.has_value());
  const Bytes built = request.Build();
  const Packet asked = *Parse(built);
  const Bytes reply = server_.Finish(effect.ticket, std::nullopt).reply;
  EXPECT_EQ(CheckReplyMessageAuthenticator(*Parse(reply), asked.authenticator, kSecret),
            MessageAuthenticatorCheck::kValid)
      << "the answer has one too";
  Request wrong = Coa().Text(attr::kUserName, "alice");
  wrong.attributes.Add(attr::kMessageAuthenticator, Bytes(16, 0));
  EXPECT_EQ(Send(wrong).dropped, Dropped::kMessageAuthenticator);
}

TEST_F(DynamicServerTest, AStrictClientMustSignAndDate) {
  const Source strict = From("2001:db8::5");
  Request request = Coa().Text(attr::kUserName, "alice");
  request.secret = BytesOf("strict");
  EXPECT_EQ(Send(request, strict).dropped, Dropped::kMessageAuthenticator);
  request.message_authenticator = true;
  EXPECT_EQ(Send(request, strict).dropped, Dropped::kTimestamp);
  EXPECT_TRUE(Send(request.Number(attr::kEventTimestamp, kNowS), strict).order.has_value());
}

TEST_F(DynamicServerTest, YesterdaysRequestIsDropped) {
  const auto at = [](int64_t time_s) {
    return Coa()
        .Text(attr::kUserName, "alice")
        .Number(attr::kEventTimestamp, static_cast<uint32_t>(time_s));
  };
  EXPECT_EQ(Send(at(kNowS - 86'400)).dropped, Dropped::kTimestamp);
  EXPECT_EQ(Send(at(kNowS - 301)).dropped, Dropped::kTimestamp);
  EXPECT_EQ(Send(at(kNowS + 301)).dropped, Dropped::kTimestamp);
  EXPECT_TRUE(Send(at(kNowS - 300)).order.has_value());
  EXPECT_TRUE(Send(at(kNowS + 300)).order.has_value());
  Request odd = Coa().Text(attr::kUserName, "alice").Text(attr::kEventTimestamp, "today");
  EXPECT_EQ(Send(odd).dropped, Dropped::kTimestamp);
}

TEST_F(DynamicServerTest, ARetransmissionGetsTheSameAnswer) {
  const Request request = Disconnect().Text(attr::kUserName, "alice");
  const auto first = Send(request);
  ASSERT_TRUE(first.order.has_value());
  EXPECT_EQ(Send(request).dropped, Dropped::kDuplicate) << "it is being carried out";
  const Bytes answer = server_.Finish(first.ticket, ErrorCause::kSessionNotFound).reply;
  now_ms_ += ReplyCache::kPlainMs - 1;
  const auto again = Send(request);
  EXPECT_FALSE(again.order.has_value()) << "it is not carried out twice";
  EXPECT_EQ(again.reply, answer);
  EXPECT_EQ(server_.counters().repeated, 1u);
  EXPECT_EQ(server_.counters().disconnect_naks, 1u);
  now_ms_ += 1;
  EXPECT_TRUE(Send(request).order.has_value()) << "by now it is another request";
}

TEST_F(DynamicServerTest, OnlyTheWholeOfARequestMakesItTheSame) {
  EXPECT_TRUE(Send(Disconnect().Text(attr::kUserName, "alice")).order.has_value());
  EXPECT_TRUE(Send(Disconnect().Text(attr::kUserName, "bob")).order.has_value());
  Request next = Disconnect().Text(attr::kUserName, "alice");
  next.identifier = 8;
  EXPECT_TRUE(Send(next).order.has_value());
  EXPECT_TRUE(Send(next, From("::ffff:192.0.2.11")).order.has_value());
  EXPECT_TRUE(Send(next, From("::ffff:192.0.2.10", 40'001)).order.has_value());
}

TEST_F(DynamicServerTest, ADatedRequestIsNotTakenTwice) {
  const Request request =
      Disconnect().Text(attr::kUserName, "alice").Number(attr::kEventTimestamp, kNowS);
  const auto first = Send(request);
  ASSERT_TRUE(first.order.has_value());
  const Bytes answer = server_.Finish(first.ticket, std::nullopt).reply;
  now_ms_ += 299'000;
  EXPECT_EQ(Send(request, From("::ffff:192.0.2.10", 40'001)).dropped, Dropped::kReplay);
  EXPECT_EQ(Send(request).reply, answer);
}

TEST_F(DynamicServerTest, ProxyStateAndStateComeBackInOrder) {
  Request request = Coa().Text(attr::kUserName, "alice").Text(attr::kProxyState, "first");
  request.Text(attr::kState, "s").Text(attr::kProxyState, "second");
  const auto effect = Send(request);
  ASSERT_TRUE(effect.order.has_value());
  for (const std::optional<ErrorCause> refused :
       {std::optional<ErrorCause>(), std::optional(ErrorCause::kSeveralSessions)}) {
    DynamicServer server(Settings());
    const auto order = server.OnDatagram(request.Build(), kClient, now_ms_, kNowS);
    const Bytes reply = server.Finish(order.ticket, refused).reply;
    const Packet packet = *Parse(reply);
    std::vector<std::string> echoed;
    for (const Attribute& attribute : packet.attributes) {
      if (attribute.id != attr::kErrorCause) {
        echoed.emplace_back(TextOf(attribute.value));
      }
    }
    EXPECT_THAT(echoed, ::testing::ElementsAre("first", "s", "second"));
    EXPECT_EQ(packet.code, refused ? Code::kCoaNak : Code::kCoaAck);
    EXPECT_EQ(CauseIn(reply), refused ? 508u : 0u);
    const Bytes built = request.Build();
    EXPECT_TRUE(IsSignedReply(packet, Parse(built)->authenticator, kSecret));
  }
}

TEST_F(DynamicServerTest, AnotherNasIsMeant) {
  const auto alice = [] { return Disconnect().Text(attr::kUserName, "alice"); };
  EXPECT_EQ(CauseOf(alice().Text(attr::kNasIdentifier, "other")), 403u);
  EXPECT_EQ(CauseOf(alice().Number(attr::kNasIpAddress, 1)), 403u);
  Request v6 = alice();
  v6.attributes.Add(attr::kNasIpv6Address, *config::ParseIpv6("2001:db8::2"));
  EXPECT_EQ(CauseOf(v6), 403u);
  Request ours = alice();
  ours.attributes.Add(attr::kNasIpv6Address, *config::ParseIpv6("2001:db8::1"));
  EXPECT_TRUE(Send(ours).order.has_value());
  EXPECT_EQ(server_.counters().refused.at(ErrorCause::kNasMismatch), 3u);
}

TEST_F(DynamicServerTest, NobodyIsNamed) {
  EXPECT_EQ(CauseOf(Disconnect().Text(attr::kNasIdentifier, "culvert")), 402u);
  EXPECT_EQ(CauseOf(Coa().Number(attr::kSessionTimeout, 60)), 402u);
  EXPECT_EQ(CauseOf(Coa()), 402u);
}

TEST_F(DynamicServerTest, ADisconnectChangesNothing) {
  const auto alice = [] { return Disconnect().Text(attr::kUserName, "alice"); };
  EXPECT_EQ(CauseOf(alice().Number(attr::kSessionTimeout, 60)), 401u);
  EXPECT_EQ(CauseOf(alice().Text(attr::kClass, "x")), 401u);
  EXPECT_EQ(CauseOf(alice().Text(attr::kReplyMessage, "bye")), 401u);
}

// Whatever else is right, one attribute that we cannot do refuses the whole request.
TEST_F(DynamicServerTest, AllOrNothing) {
  const auto alice = [] {
    return Coa().Text(attr::kUserName, "alice").Number(attr::kSessionTimeout, 60);
  };
  EXPECT_EQ(CauseOf(alice().Number(attr::kFramedMtu, 1400)), 401u);
  EXPECT_EQ(CauseOf(alice().Text({9, 1}, "shell:priv-lvl=15")), 401u);
  EXPECT_EQ(CauseOf(alice().Text(attr::kFramedRoute, "10.9.0.0/16")), 401u);
  EXPECT_EQ(CauseOf(alice().Text(attr::kIdleTimeout, "12345")), 407u);
  EXPECT_EQ(CauseOf(alice().Number(attr::kAcctInterimInterval, 59)), 407u);
  EXPECT_EQ(CauseOf(alice().Number(attr::kWisprBandwidthMaxUp, 7999)), 407u);
  EXPECT_EQ(CauseOf(alice().Number(attr::kIdleTimeout, UINT32_MAX)), 407u);
  EXPECT_EQ(CauseOf(alice().Text(attr::kMikrotikRateLimit, "fast")), 407u);
  EXPECT_EQ(
      CauseOf(
          alice().Text(attr::kMikrotikRateLimit, "1M/2M").Number(attr::kWisprBandwidthMaxUp, 9000)),
      404u)
      << "two rates for one direction";
  EXPECT_EQ(CauseOf(alice().Number(attr::kFramedProtocol, 2)), 407u);
}

TEST_F(DynamicServerTest, ValuesAndNumbersOfAttributes) {
  EXPECT_EQ(CauseOf(Disconnect().Text(attr::kNasPort, "abc")), 407u);
  EXPECT_EQ(CauseOf(Disconnect().Text(attr::kFramedIpAddress, "10.0.0.1")), 407u);
  EXPECT_EQ(CauseOf(Disconnect().Text(attr::kUserName, "a").Text(attr::kUserName, "b")), 404u);
  EXPECT_EQ(CauseOf(Coa()
                        .Text(attr::kUserName, "a")
                        .Number(attr::kSessionTimeout, 60)
                        .Number(attr::kSessionTimeout, 61)),
            404u);
}

TEST_F(DynamicServerTest, NamesThatNoCallCanHave) {
  EXPECT_TRUE(OrderOf(Disconnect().Text(attr::kAcctSessionId, "12")).session.nobody);
  EXPECT_FALSE(OrderOf(Disconnect().Text(attr::kUserName, "alice")).session.nobody);
}

TEST_F(DynamicServerTest, AuthorizeOnlyIsNotOurs) {
  const auto alice = [] { return Coa().Text(attr::kUserName, "alice"); };
  EXPECT_EQ(CauseOf(alice().Number(attr::kServiceType, 17)), 402u) << "without State";
  EXPECT_EQ(CauseOf(alice().Text(attr::kState, "s").Number(attr::kServiceType, 17)), 405u);
  EXPECT_EQ(CauseOf(alice().Number(attr::kServiceType, 1)), 405u);
}

TEST_F(DynamicServerTest, TooManyAtOnceAreRefused) {
  for (size_t i = 0; i < DynamicServer::kMaxPending; ++i) {
    ASSERT_TRUE(
        Send(Disconnect().Text(attr::kUserName, "user" + std::to_string(i))).order.has_value());
  }
  EXPECT_EQ(CauseOf(Disconnect().Text(attr::kUserName, "alice")), 506u);
}

TEST_F(DynamicServerTest, AnUnknownTicketIsNobodys) {
  EXPECT_TRUE(server_.Finish(99, std::nullopt).reply.empty());
}

TEST(ReplyCacheTest, IsBounded) {
  ReplyCache cache(4);
  std::vector<uint8_t> reply;
  Packet packet;
  const auto see = [&](uint8_t identifier, uint16_t port) {
    packet.identifier = identifier;
    return cache.See({{}, port}, packet, 1000, &reply);
  };
  for (uint8_t i = 0; i < 100; ++i) {
    EXPECT_EQ(see(i, 1), ReplyCache::Seen::kNew);
    EXPECT_LE(cache.size(), 4u);
  }
  EXPECT_EQ(see(99, 1), ReplyCache::Seen::kUnanswered);
  EXPECT_EQ(see(0, 1), ReplyCache::Seen::kNew) << "the oldest went first";
  for (uint16_t port = 2; port < 100; ++port) {
    EXPECT_EQ(see(99, port), ReplyCache::Seen::kNew);
    EXPECT_LE(cache.size(), 4u);
  }
}

TEST(DynamicNames, AreAllThere) {
  for (size_t i = 0; i < kNumDropped; ++i) {
    EXPECT_NE(DroppedName(static_cast<Dropped>(i)), "other");
  }
  for (const uint32_t cause : {401, 402, 403, 404, 405, 407, 501, 503, 504, 506, 508}) {
    EXPECT_NE(ErrorCauseName(static_cast<ErrorCause>(cause)), "other");
  }
}

}  // namespace
}  // namespace culvert::radius
