#include "controlplane/radius/client/reply_check.h"

#include "controlplane/radius/signing.h"

namespace culvert::radius {

namespace {

bool IsAnswer(Code code, const ExpectedReply& expected) {
  switch (expected.request_code) {
    case Code::kAccessRequest:
      return code == Code::kAccessAccept || code == Code::kAccessReject ||
             code == Code::kAccessChallenge;
    case Code::kAccountingRequest:
      return code == Code::kAccountingResponse;
    case Code::kStatusServer:  // RFC 5997 s4.2
      return code == (expected.service == Service::kAuthentication ? Code::kAccessAccept
                                                                   : Code::kAccountingResponse);
    default:
      return false;
  }
}

}  // namespace

tl::expected<CheckedReply, DropReason> CheckReply(const Packet& packet,
                                                  const ExpectedReply& expected) {
  if (!IsAnswer(packet.code, expected)) {
    return tl::unexpected(DropReason::kWrongCode);
  }
  if (!IsSignedReply(packet, expected.request_authenticator, expected.secret)) {
    return tl::unexpected(DropReason::kBadAuthenticator);
  }
  const MessageAuthenticatorCheck check =
      CheckReplyMessageAuthenticator(packet, expected.request_authenticator, expected.secret);
  // The packets of accounting are signed as a whole; servers differ in what they sign this
  // attribute with there, so it is not looked at.
  const bool is_access = expected.service == Service::kAuthentication;
  if (is_access && check == MessageAuthenticatorCheck::kInvalid) {
    return tl::unexpected(DropReason::kBadMessageAuthenticator);
  }
  // RFC 3579 s3.2: whatever the policy, EAP does not go without.
  const bool is_needed =
      expected.request_code == Code::kAccessRequest &&
      (expected.needs_message_authenticator || packet.Find(attr::kEapMessage) != nullptr);
  if (is_needed && check != MessageAuthenticatorCheck::kValid) {
    return tl::unexpected(DropReason::kNoMessageAuthenticator);
  }
  if (is_access && packet.Find(attr::kProxyState) != nullptr) {
    return tl::unexpected(DropReason::kProxyState);
  }
  return CheckedReply{.has_message_authenticator = check == MessageAuthenticatorCheck::kValid};
}

}  // namespace culvert::radius
