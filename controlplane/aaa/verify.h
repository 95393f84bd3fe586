// Verify checks what a client proved against what we know of the user.
#pragma once

#include <string>
#include <string_view>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/users/users.h"

namespace culvert {

struct Verdict {
  bool accepted = false;
  std::string_view reason;             // when not: for our log, static text
  std::string authenticator_response;  // MS-CHAPv2
  MppeStartKeys keys;                  // MS-CHAP
};

// Verify does the same work whether it accepts or not. Any thread.
[[nodiscard]] Verdict Verify(const User& user, const AuthRequest& request);

}  // namespace culvert
