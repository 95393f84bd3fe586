// Verify checks what a client proved against what we know of the user.
#pragma once

#include <string>
#include <string_view>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/users/users.h"
#include "controlplane/crypto/password_change.h"

namespace culvert {

struct Verdict {
  bool accepted = false;
  std::string_view reason;             // when not: for our log, static text
  std::string authenticator_response;  // MS-CHAPv2
  MppeStartKeys keys;                  // MS-CHAP
  // After a Change-Password: what is to be written; empty unless it is accepted.
  crypto::NewPassword new_password = {};
  // Who sent a Change-Password knows the old password, and the new one is not fit for use.
  bool unfit_password = false;
};

// NtHashOf gives the NT hash of the user's password: 16 octets, zeros when it can have none.
[[nodiscard]] Secret NtHashOf(const User& user);

// Verify does the same work whether it accepts or not. Any thread.
[[nodiscard]] Verdict Verify(const User& user, const AuthRequest& request);

}  // namespace culvert
