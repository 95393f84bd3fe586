#include "controlplane/aaa/eap/local_eap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "controlplane/aaa/local_users.h"
#include "controlplane/crypto/mppe_keys.h"
#include "controlplane/crypto/mschap.h"
#include "controlplane/crypto/primitives.h"
#include "proto/wire/auth.h"
#include "tests/vectors/vectors.h"

namespace culvert::eap {
namespace {

using culvert::testing::FromHex;
using culvert::testing::ToHex;
using culvert::testing::Vectors;
using OctetVector = std::vector<uint8_t>;
namespace weap = wire::eap;

OctetVector Octets(std::string_view text) { return {text.begin(), text.end()}; }

User WithPassword(std::string_view text) {
  User user;
  user.password = Secret(Octets(text));
  return user;
}

// Client is the other side: it answers Requests as a client with one password does.
class Client {
 public:
  Client(std::vector<Method> methods, std::string_view password, uint32_t retries = 0)
      : server_({.methods = std::move(methods), .server_name = "culvert", .retries = retries},
                [this](std::span<uint8_t> out) { std::fill(out.begin(), out.end(), ++random_); }),
        password_(password) {}

  // Respond sends a Response with the identifier of the last Request.
  void Respond(uint8_t of_type, const OctetVector& with) {
    Send(weap::Emit(
        {.code = weap::kResponse, .identifier = identifier_, .type = of_type, .data = with}));
  }
  void Send(OctetVector packet) {
    AuthRequest request;
    request.user = "User";
    request.state = result.state;
    request.exchange = EapExchange{.packet = std::move(packet)};
    result = server_.Answer(request, user);
    const auto parsed = weap::Parse(result.eap);
    ASSERT_TRUE(parsed.has_value());
    if (result.verdict == AuthVerdict::kChallenge) {
      ASSERT_EQ(parsed->code, weap::kRequest);
      EXPECT_NE(parsed->identifier, identifier_);  // RFC 3748 s4.1
    } else {
      EXPECT_EQ(parsed->identifier, identifier_);
      EXPECT_EQ(parsed->code,
                result.verdict == AuthVerdict::kAccept ? weap::kSuccess : weap::kFailure);
    }
    identifier_ = parsed->identifier;
    type = parsed->type;
    data.assign(parsed->data.begin(), parsed->data.end());
  }
  void Identify() { Respond(weap::kIdentity, Octets("User")); }

  void RespondMd5() {
    const auto value = wire::chap::ParseValue(data);
    ASSERT_TRUE(value.has_value());
    const Secret digest = crypto::Md5({{&identifier_, 1}, Octets(password_), value->value});
    Respond(weap::kMd5Challenge, wire::chap::EmitValue({digest.octets(), "User"}));
  }
  // RespondMsChapV2 answers `challenge`; empty: the one of the Request.
  void RespondMsChapV2(std::string_view name = "User", OctetVector challenge = {}) {
    const auto message = weap::mschapv2::Parse(data);
    if (challenge.empty()) {
      const auto value = wire::chap::ParseValue(message->data);
      ASSERT_TRUE(value.has_value());
      challenge.assign(value->value.begin(), value->value.end());
    }
    const std::array<uint8_t, 16> peer{1, 2, 3};
    const Secret hash = crypto::NtPasswordHash(Octets(password_)).value();
    response = crypto::GenerateNtResponse(std::span<const uint8_t, 16>(challenge), peer, name,
                                          crypto::SpanOf16(hash));
    OctetVector fields(49);
    std::copy(peer.begin(), peer.end(), fields.begin());
    std::copy(response.begin(), response.end(), fields.begin() + 24);
    Respond(weap::kMsChapV2, weap::mschapv2::Emit({.op_code = weap::mschapv2::kResponse,
                                                   .identifier = message->identifier,
                                                   .data = wire::chap::EmitValue({fields, name})}));
  }
  void Acknowledge(uint8_t op_code) { Respond(weap::kMsChapV2, {op_code}); }
  [[nodiscard]] std::string Text() const {
    const auto message = weap::mschapv2::Parse(data);
    return {message->data.begin(), message->data.end()};
  }
  void SetPassword(std::string_view password) { password_ = password; }

  User user = WithPassword("clientPass");
  AuthResult result;
  uint8_t type = 0;
  OctetVector data;
  std::array<uint8_t, 24> response{};

 private:
  uint8_t random_ = 0;
  LocalEap server_;
  std::string password_;
  uint8_t identifier_ = 250;  // runs over
};

constexpr auto kBoth = {Method::kMsChapV2, Method::kMd5};

TEST(LocalEap, Md5) {
  Client client({Method::kMd5}, "clientPass");
  client.Identify();
  EXPECT_EQ(client.type, weap::kMd5Challenge);
  client.RespondMd5();
  EXPECT_EQ(client.result.verdict, AuthVerdict::kAccept);
  EXPECT_FALSE(client.result.keys.Has128());

  Client wrong({Method::kMd5}, "clientpass");
  wrong.Identify();
  wrong.RespondMd5();
  EXPECT_EQ(wrong.result.verdict, AuthVerdict::kReject);
  EXPECT_EQ(wrong.result.reject_reason, "wrong password");
}

TEST(LocalEap, Md5VectorIsRight) {
  const auto& rows = Vectors()["eap"];
  const OctetVector octets = FromHex(rows["md5_response"].get<std::string>());
  Conversation conversation;
  const OctetVector request = FromHex(rows["md5_request"].get<std::string>());
  std::copy_n(request.begin() + 6, 16, conversation.challenge.begin());
  AuthRequest question;
  question.state = conversation.Emit();
  question.exchange = EapExchange{.packet = octets};
  const LocalEap server({.methods = {Method::kMd5}, .server_name = "nas"},
                        [](std::span<uint8_t>) {});
  EXPECT_EQ(server.Answer(question, WithPassword("clientPass")).verdict, AuthVerdict::kAccept);
  EXPECT_EQ(server.Answer(question, WithPassword("other")).verdict, AuthVerdict::kReject);
}

TEST(LocalEap, MsChapV2VectorIsRight) {
  const auto& rows = Vectors()["eap"];
  Conversation conversation{.method = Method::kMsChapV2, .name = {}};
  const OctetVector request = FromHex(rows["mschapv2_challenge"].get<std::string>());
  std::copy_n(request.begin() + 10, 16, conversation.challenge.begin());
  AuthRequest question;
  question.state = conversation.Emit();
  question.exchange = EapExchange{.packet = FromHex(rows["mschapv2_response"].get<std::string>())};
  const LocalEap server({.methods = {Method::kMsChapV2}, .server_name = "nas"},
                        [](std::span<uint8_t>) {});
  const AuthResult asked = server.Answer(question, WithPassword("clientPass"));
  ASSERT_EQ(asked.verdict, AuthVerdict::kChallenge);
  const std::string hex = ToHex(asked.eap);
  // As the vector, but for the text.
  EXPECT_EQ(hex.substr(18, 84), ToHex(Octets("S=407A5589115FD0D6209F510FE9C04566932CDA56")));
  question.state = asked.state;
  question.exchange =
      EapExchange{.packet = FromHex(rows["mschapv2_success_response"].get<std::string>())};
  const AuthResult done = server.Answer(question, WithPassword("clientPass"));
  EXPECT_EQ(done.verdict, AuthVerdict::kAccept);
  EXPECT_EQ(ToHex(done.eap), "03040004");
  EXPECT_EQ(ToHex(done.keys.send_128.octets()),
            Vectors()["rfc3079_3_5_mschapv2"]["send_start_key_16"].get<std::string>());
}

TEST(LocalEap, MsChapV2GivesTheKeysOfMsChapV2) {
  Client client(kBoth, "clientPass");
  client.Identify();
  EXPECT_EQ(client.type, weap::kMsChapV2);
  client.RespondMsChapV2();
  ASSERT_EQ(client.result.verdict, AuthVerdict::kChallenge);
  EXPECT_EQ(client.Text().substr(0, 2), "S=");
  EXPECT_EQ(client.Text().substr(42), " M=Access granted");
  EXPECT_FALSE(client.result.keys.Has128());  // not before the client has agreed
  client.Acknowledge(weap::mschapv2::kSuccess);
  ASSERT_EQ(client.result.verdict, AuthVerdict::kAccept);
  const Secret hash = crypto::NtPasswordHash(Octets("clientPass")).value();
  const MppeStartKeys keys = crypto::MsChapV2StartKeys(crypto::SpanOf16(hash), client.response);
  EXPECT_TRUE(client.result.keys.send_128.Equals(keys.send_128.octets()));
  EXPECT_TRUE(client.result.keys.receive_40_56.Equals(keys.receive_40_56.octets()));
}

TEST(LocalEap, DomainIsNotHashed) {
  Client client({Method::kMsChapV2}, "clientPass");
  client.Identify();
  client.RespondMsChapV2("CORP\\User");
  EXPECT_EQ(client.Text().substr(0, 2), "S=");
}

TEST(LocalEap, WrongPasswordInMsChapV2) {
  Client client({Method::kMsChapV2}, "wrong");
  client.Identify();
  client.RespondMsChapV2();
  ASSERT_EQ(client.result.verdict, AuthVerdict::kChallenge);
  EXPECT_EQ(client.Text(), "E=691 R=0 C=" + std::string("02020202020202020202020202020202") +
                               " V=3 M=Authentication failure");
  EXPECT_EQ(client.result.reject_reason, "wrong password");  // the client may hang up now
  client.Acknowledge(weap::mschapv2::kFailure);
  EXPECT_EQ(client.result.verdict, AuthVerdict::kReject);
  EXPECT_TRUE(client.result.unjudged);  // so that it counts once
}

TEST(LocalEap, NobodyPassesByAcknowledgingAFailure) {
  for (const uint8_t op_code : {1, 2, 3, 4, 7, 99}) {
    Client client({Method::kMsChapV2}, "wrong");
    client.Identify();
    client.RespondMsChapV2();
    client.Acknowledge(op_code);
    EXPECT_EQ(client.result.verdict, AuthVerdict::kReject) << int{op_code};
  }
  Client client({Method::kMsChapV2}, "wrong");  // before any Response
  client.Identify();
  client.Acknowledge(weap::mschapv2::kSuccess);
  EXPECT_EQ(client.result.verdict, AuthVerdict::kReject);
}

TEST(LocalEap, RetryWithTheNewChallenge) {
  Client client({Method::kMsChapV2}, "wrong", 1);
  client.Identify();
  client.RespondMsChapV2();
  EXPECT_EQ(client.Text().substr(0, 9), "E=691 R=1");
  client.SetPassword("clientPass");
  client.RespondMsChapV2("User", OctetVector(16, 2));
  ASSERT_EQ(client.Text().substr(0, 2), "S=");
  client.Acknowledge(weap::mschapv2::kSuccess);
  EXPECT_EQ(client.result.verdict, AuthVerdict::kAccept);

  Client again({Method::kMsChapV2}, "wrong", 1);
  again.Identify();
  again.RespondMsChapV2();
  again.RespondMsChapV2("User", OctetVector(16, 2));
  EXPECT_EQ(again.Text().substr(0, 9), "E=691 R=0");
  again.RespondMsChapV2("User", OctetVector(16, 3));
  EXPECT_EQ(again.result.verdict, AuthVerdict::kReject);
}

TEST(LocalEap, NakLeadsToTheNextMethod) {
  Client client(kBoth, "clientPass");
  client.Identify();
  EXPECT_EQ(client.type, weap::kMsChapV2);
  client.Respond(weap::kNak, {13, 4});
  EXPECT_EQ(client.type, weap::kMd5Challenge);
  client.RespondMd5();
  EXPECT_EQ(client.result.verdict, AuthVerdict::kAccept);

  Client insistent(kBoth, "clientPass");  // wants what was offered: not again
  insistent.Identify();
  insistent.Respond(weap::kNak, {26});
  EXPECT_EQ(insistent.result.verdict, AuthVerdict::kReject);
  EXPECT_EQ(insistent.result.reject_reason, "no EAP method in common");

  Client none(kBoth, "clientPass");
  none.Identify();
  none.Respond(weap::kNak, {0});
  EXPECT_EQ(none.result.verdict, AuthVerdict::kReject);

  Client late(kBoth, "wrong", 5);  // a Nak is for the first Request only
  late.Identify();
  late.RespondMsChapV2();
  late.Respond(weap::kNak, {4});
  EXPECT_EQ(late.result.verdict, AuthVerdict::kReject);
}

TEST(LocalEap, Md5IsNotOfferedToAUserWithAHashOnly) {
  Client client({Method::kMd5, Method::kMsChapV2}, "clientPass");
  client.user = {};
  client.user.nt_hash = crypto::NtPasswordHash(Octets("clientPass")).value();
  client.Identify();
  EXPECT_EQ(client.type, weap::kMsChapV2);
  client.RespondMsChapV2();
  client.Acknowledge(weap::mschapv2::kSuccess);
  EXPECT_EQ(client.result.verdict, AuthVerdict::kAccept);
}

TEST(LocalEap, AUserChangedMeanwhileIsJudgedAgain) {
  Client client({Method::kMsChapV2}, "clientPass");
  client.Identify();
  client.RespondMsChapV2();
  client.user = WithPassword("another");
  client.Acknowledge(weap::mschapv2::kSuccess);
  EXPECT_EQ(client.result.verdict, AuthVerdict::kReject);
}

TEST(LocalEap, OddResponsesAreRejected) {
  const auto after_offer = [](Method method, uint8_t type, const OctetVector& data) {
    Client client({method}, "clientPass");
    client.Identify();
    client.Respond(type, data);
    return client.result.reject_reason;
  };
  EXPECT_EQ(after_offer(Method::kMd5, weap::kMd5Challenge, {0}), "a malformed EAP-MD5 Response");
  EXPECT_EQ(after_offer(Method::kMd5, weap::kMd5Challenge, {2, 1, 1}),
            "a malformed EAP-MD5 Response");
  EXPECT_EQ(after_offer(Method::kMd5, weap::kIdentity, {1}), "an EAP Response of another method");
  EXPECT_EQ(after_offer(Method::kMsChapV2, weap::kMsChapV2, {2, 1, 0, 200}),
            "a malformed EAP-MSCHAPv2 message");
  EXPECT_EQ(after_offer(Method::kMsChapV2, weap::kMsChapV2, {2, 1, 0, 5, 9}),
            "a malformed EAP-MSCHAPv2 Response");
  Client client({Method::kMd5}, "clientPass");
  client.Respond(weap::kMd5Challenge, {1, 1});
  EXPECT_EQ(client.result.reject_reason, "EAP without an identity");
  client.result.state = {1, 2, 3};
  client.Respond(weap::kMd5Challenge, {1, 1});
  EXPECT_EQ(client.result.reject_reason, "an EAP conversation that nobody had begun");
}

// Ask goes through LocalUsers and gives the last answer.
AuthResult Ask(LocalUsers& users, const std::string& name, const OctetVector& packet,
               const OctetVector& state) {
  AuthRequest request;
  request.user = name;
  request.state = state;
  request.exchange = EapExchange{.packet = packet};
  AuthResult answer;
  users.Authenticate(std::move(request), [&](AuthResult result) { answer = std::move(result); });
  return answer;
}

TEST(LocalUsersEap, AStrangerIsRefusedLikeAWrongPassword) {
  Users table;
  table.Insert("User", WithPassword("clientPass"));
  LocalUsers users(std::make_shared<const Users>(std::move(table)),
                   {.eap = {.methods = {Method::kMd5}, .server_name = "culvert"}});
  std::set<size_t> lengths;
  for (const std::string name : {"User", "Nobody"}) {
    const AuthResult offer = Ask(users, name, FromHex("0201000501"), {});
    ASSERT_EQ(offer.verdict, AuthVerdict::kChallenge) << name;
    lengths.insert(offer.eap.size());
    const AuthResult end =
        Ask(users, name, FromHex("020200160410" + std::string(32, '0')), offer.state);
    EXPECT_EQ(end.verdict, AuthVerdict::kReject) << name;
    EXPECT_EQ(end.unknown_user, name == "Nobody");
    EXPECT_EQ(ToHex(end.eap), "04020004") << name;
  }
  EXPECT_EQ(lengths.size(), 1u);
}

TEST(LocalUsersEap, AStrangerIsLeftToTheNextBackend) {
  LocalUsers users(
      std::make_shared<const Users>(),
      {.eap = {.methods = {Method::kMd5}, .server_name = "culvert", .answers_strangers = false}});
  const AuthResult answer = Ask(users, "Nobody", FromHex("0201000501"), {});
  EXPECT_EQ(answer.verdict, AuthVerdict::kReject);
  EXPECT_TRUE(answer.unknown_user);
}

TEST(LocalUsersEap, GrantsComeWithTheAccept) {
  Users table;
  User user = WithPassword("clientPass");
  user.edit_grants().fixed_address = 0x0a4d0063;
  table.Insert("User", std::move(user));
  LocalUsers users(std::make_shared<const Users>(std::move(table)),
                   {.eap = {.methods = {Method::kMd5}, .server_name = "culvert"}});
  const AuthResult offer = Ask(users, "CORP\\User", FromHex("0201000501"), {});
  const auto request = weap::Parse(offer.eap);
  const auto value = wire::chap::ParseValue(request->data);
  const uint8_t identifier = request->identifier;
  const Secret digest = crypto::Md5({{&identifier, 1}, Octets("clientPass"), value->value});
  const AuthResult end = Ask(users, "CORP\\User",
                             weap::Emit({.code = weap::kResponse,
                                         .identifier = identifier,
                                         .type = weap::kMd5Challenge,
                                         .data = wire::chap::EmitValue({digest.octets(), "User"})}),
                             offer.state);
  EXPECT_EQ(end.verdict, AuthVerdict::kAccept);
  EXPECT_EQ(end.user, "User");
  EXPECT_EQ(end.grants.fixed_address, 0x0a4d0063u);
}

}  // namespace
}  // namespace culvert::eap
