// The part of UserFiles that writes new passwords.
#include <spdlog/spdlog.h>

#include <utility>

#include "controlplane/aaa/secret_file.h"
#include "controlplane/aaa/users/replace_file.h"
#include "controlplane/aaa/users/user_files.h"
#include "controlplane/logging/printable.h"

namespace culvert {

namespace {

constexpr size_t kMaxWaiting = 1024;
constexpr int kTries = 3;  // when somebody writes the file at the same time

std::string_view TextOf(const Secret& secret) {
  return {reinterpret_cast<const char*>(secret.octets().data()), secret.octets().size()};
}

}  // namespace

void UserFiles::ChangePassword(PasswordEdit edit, Changed done) {
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() < kMaxWaiting && !stop_) {
      waiting_.push_back(std::move(edit));
      waiting_done_.push_back(std::move(done));
      return;
    }
  }
  ++num_not_changed_;
  done(absl::ResourceExhaustedError("too many passwords are being changed, or the process stops"));
}

// MakeChanges writes all that wait at once: the file may be long.
void UserFiles::MakeChanges() {
  if (!IsSettled()) {
    return;
  }
  std::vector<PasswordEdit> edits;
  std::vector<Changed> done;
  {
    absl::MutexLock lock(&mutex_);
    edits.swap(waiting_);
    done.swap(waiting_done_);
  }
  if (edits.empty()) {
    return;
  }
  {
    absl::MutexLock lock(&reading_);
    absl::Status status;
    for (int i = 0; i < kTries; ++i) {
      status = Write(edits);
      if (!absl::IsAborted(status)) {
        break;
      }
    }
    for (PasswordEdit& edit : edits) {
      edit.status = edit.status.ok() ? status : edit.status;
    }
  }
  for (size_t i = 0; i < edits.size(); ++i) {
    const absl::Status& status = edits[i].status;
    ++(status.ok() ? num_changed_ : num_not_changed_);
    if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
      spdlog::log(status.ok() ? spdlog::level::info : spdlog::level::err,
                  "password of user={} {} {}: {} ({} more since the last such line)",
                  Printable(edits[i].name), status.ok() ? "changed in" : "not changed in",
                  paths_.users_file, status.ok() ? "done" : std::string(status.message()),
                  *left_out);
    }
    done[i](status);
  }
}

absl::Status UserFiles::Write(std::span<PasswordEdit> edits) {
  const FileStamp before = StampOf(paths_.users_file);
  Secret contents;
  if (absl::Status status = ReadSecretFile(paths_.users_file, contents); !status.ok()) {
    return status;
  }
  const Secret text = EditUsersFile(TextOf(contents), edits);
  if (std::none_of(edits.begin(), edits.end(),
                   [](const PasswordEdit& edit) { return edit.status.ok(); })) {
    return absl::OkStatus();
  }
  // What would not be read again is never written.
  auto users = std::make_shared<Users>();
  const UserProblems problems =
      ReadUsersText(TextOf(text), paths_.users_file, paths_.gateway, *users);
  if (!problems.errors.empty()) {
    return absl::FailedPreconditionError("the file has errors: " +
                                         config::Format(problems.errors.front()));
  }
  if (!paths_.chap_secrets_file.empty()) {
    const UserProblems others =
        ReadChapSecrets(paths_.chap_secrets_file, paths_.server_name, paths_.gateway, *users);
    if (!others.errors.empty()) {
      return absl::FailedPreconditionError("the other file has errors: " +
                                           config::Format(others.errors.front()));
    }
  }
  const absl::StatusOr<FileStamp> written = ReplaceFile(paths_.users_file, before, text.octets());
  if (!written.ok()) {
    return written.status();
  }
  users->AddSource(*written);
  seen_ = users->sources();
  refused_ = false;
  num_users_ = users->size();
  Publish(std::move(users));
  return absl::OkStatus();
}

}  // namespace culvert
