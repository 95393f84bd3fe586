#include "controlplane/radius/client/reply_check.h"

#include <gtest/gtest.h>

#include "controlplane/radius/client/scripted_servers.h"

namespace culvert::radius {
namespace {

class ReplyCheck : public ::testing::Test {
 protected:
  // A request with a random authenticator, and what it expects.
  void Ask(Code code, Service service) {
    RequestParts parts{.code = code, .identifier = 7, .authenticator = {9, 8, 7}};
    request_ = *BuildRequest(parts, AttributeList(), secret_->octets());
    const auto packet = Parse(request_);
    expected_ = {.request_code = code,
                 .service = service,
                 .request_authenticator = packet->authenticator,
                 .needs_message_authenticator = false,
                 .secret = secret_->octets()};
  }
  std::vector<uint8_t> Reply(Code code, bool message_authenticator,
                             const AttributeList& attributes = {}) {
    return ScriptedServers::ReplyTo({0, 0, request_, 0}, code, "s3cret", message_authenticator,
                                    attributes);
  }
  tl::expected<CheckedReply, DropReason> Check(const std::vector<uint8_t>& reply) {
    return CheckReply(*Parse(reply), expected_);
  }

  std::shared_ptr<const Secret> secret_ = SecretOf("s3cret");
  std::vector<uint8_t> request_;
  ExpectedReply expected_;
};

TEST_F(ReplyCheck, OnlyAnswersToTheKindOfRequest) {
  struct Case {
    Code request;
    Service service;
    std::vector<Code> answers;
  };
  for (const Case& c :
       {Case{Code::kAccessRequest,
             Service::kAuthentication,
             {Code::kAccessAccept, Code::kAccessReject, Code::kAccessChallenge}},
        Case{Code::kAccountingRequest, Service::kAccounting, {Code::kAccountingResponse}},
        Case{Code::kStatusServer, Service::kAuthentication, {Code::kAccessAccept}},
        Case{Code::kStatusServer, Service::kAccounting, {Code::kAccountingResponse}}}) {
    Ask(c.request, c.service);
    for (int code = 0; code < 256; ++code) {
      const bool is_answer =
          std::find(c.answers.begin(), c.answers.end(), static_cast<Code>(code)) != c.answers.end();
      const auto checked = Check(Reply(static_cast<Code>(code), true));
      EXPECT_EQ(checked.has_value(), is_answer) << code;
      if (!is_answer) {
        EXPECT_EQ(checked.error(), DropReason::kWrongCode);
      }
    }
  }
}

TEST_F(ReplyCheck, WrongAuthenticatorsAreDropped) {
  Ask(Code::kAccessRequest, Service::kAuthentication);
  std::vector<uint8_t> reply = Reply(Code::kAccessAccept, true);
  reply[kAuthenticatorOffset] ^= 1;
  EXPECT_EQ(Check(reply).error(), DropReason::kBadAuthenticator);
  // The Response Authenticator is right, the Message-Authenticator is not.
  AttributeList wrong;
  wrong.Add(attr::kMessageAuthenticator, std::vector<uint8_t>(16, 1));
  EXPECT_EQ(Check(Reply(Code::kAccessAccept, false, wrong)).error(),
            DropReason::kBadMessageAuthenticator);
}

TEST_F(ReplyCheck, TheMessageAuthenticatorIsNeededByPolicyAndByEap) {
  Ask(Code::kAccessRequest, Service::kAuthentication);
  EXPECT_TRUE(Check(Reply(Code::kAccessAccept, true))->has_message_authenticator);
  EXPECT_FALSE(Check(Reply(Code::kAccessAccept, false))->has_message_authenticator);
  AttributeList eap;
  eap.Add(attr::kEapMessage, std::vector<uint8_t>{3, 1, 0, 4});
  EXPECT_EQ(Check(Reply(Code::kAccessAccept, false, eap)).error(),
            DropReason::kNoMessageAuthenticator);
  EXPECT_TRUE(Check(Reply(Code::kAccessAccept, true, eap)).has_value());
  expected_.needs_message_authenticator = true;
  for (Code code : {Code::kAccessAccept, Code::kAccessReject, Code::kAccessChallenge}) {
    EXPECT_EQ(Check(Reply(code, false)).error(), DropReason::kNoMessageAuthenticator);
    EXPECT_TRUE(Check(Reply(code, true)).has_value());
  }
}

TEST_F(ReplyCheck, ProxyStateInAnAccessReplyIsAnAttack) {
  AttributeList proxy;
  proxy.Add(attr::kProxyState, std::vector<uint8_t>{1});
  Ask(Code::kAccessRequest, Service::kAuthentication);
  EXPECT_EQ(Check(Reply(Code::kAccessAccept, true, proxy)).error(), DropReason::kProxyState);
  Ask(Code::kAccountingRequest, Service::kAccounting);
  EXPECT_TRUE(Check(Reply(Code::kAccountingResponse, false, proxy)).has_value());
}

}  // namespace
}  // namespace culvert::radius
