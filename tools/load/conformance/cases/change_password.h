// Changes of an expired password, which MS-CHAPv2 and EAP-MSCHAPv2 share.
#pragma once

#include <string>

#include "controlplane/aaa/authentication.h"
#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

// ChangeAndLogIn changes the password of `user` in the session's call, and logs in with the new one
// in another. It can be done once: then the password has not expired any more.
[[nodiscard]] Result ChangeAndLogIn(Session& s, AuthMethod method, const std::string& user);

}  // namespace culvert::load::conformance
