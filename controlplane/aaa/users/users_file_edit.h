// EditUsersFile sets new passwords in the text of a users file and leaves everything else as it is:
// comments, order, spaces, other users. Any thread.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
#include <string_view>

#include "controlplane/crypto/secret.h"

namespace culvert {

// PasswordEdit: one user's. The file keeps a password in clear where it has one, else the NT hash.
struct PasswordEdit {
  std::string name;
  Secret old_nt_hash;        // of the password that the client has proved
  Secret password, nt_hash;  // the new one: UTF-8, and its NT hash
  absl::Status status = absl::OkStatus();
};

// EditUsersFile gives the new text: each user of `edits` has its new password and no mark
// `expired`. Those for whom that cannot be get a status: NotFound; Aborted when the file has
// another password than the old one by now; InvalidArgument when the new one does not fit into the
// file.
[[nodiscard]] Secret EditUsersFile(std::string_view text, std::span<PasswordEdit> edits);

}  // namespace culvert
