#include "controlplane/radius/client/server.h"

namespace culvert::radius {

std::string_view ServiceName(Service service) {
  return service == Service::kAuthentication ? "authentication" : "accounting";
}

std::string_view DropReasonName(DropReason reason) {
  switch (reason) {
    case DropReason::kMalformed:
      return "malformed";
    case DropReason::kUnexpected:
      return "unexpected";
    case DropReason::kWrongCode:
      return "wrong_code";
    case DropReason::kBadAuthenticator:
      return "bad_authenticator";
    case DropReason::kBadMessageAuthenticator:
      return "bad_message_authenticator";
    case DropReason::kNoMessageAuthenticator:
      return "no_message_authenticator";
    case DropReason::kProxyState:
      return "proxy_state";
  }
  return "unknown";
}

}  // namespace culvert::radius
