// UserFiles reads the files of local users again when they change. A thread of its own looks at
// them, reads and checks; the new table is handed over whole, or the old one stays.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/aaa/users/users.h"
#include "controlplane/aaa/users/users_file_edit.h"
#include "controlplane/logging/log_limit.h"

namespace culvert {

class UserFiles {
 public:
  struct Paths {
    std::string users_file, chap_secrets_file;  // empty: none
    std::string server_name;                    // ours, in chap-secrets
    uint32_t gateway = 0;                       // an address that no user may have
  };
  // Read reads both files into `users`, the users file first.
  [[nodiscard]] static UserProblems Read(const Paths& paths, Users& users);

  // Replace is called by the thread of UserFiles, or by that of Poll() or ReadNow(); one at a time.
  using Replace = std::function<void(const Users& before, const std::shared_ptr<const Users>& now)>;
  // `loaded` is the table in use, read from `paths`.
  UserFiles(Paths paths, std::shared_ptr<const Users> loaded, Replace replace);
  ~UserFiles();
  UserFiles(const UserFiles&) = delete;
  UserFiles& operator=(const UserFiles&) = delete;

  // Stop ends the thread; passwords that wait to be changed are not, and nobody is told.
  void Stop();

  // Start looks each `period` from now on.
  void Start(std::chrono::milliseconds period);

  // Poll looks once. A file that has changed is read when a second look finds it as the first did:
  // editors and copies write in steps.
  enum class Outcome { kUnchanged, kWaiting, kReplaced, kRefused };
  Outcome Poll();

  // ReadNow reads at once what has changed, or was refused. With problems the table stays as it
  // was. Any thread.
  [[nodiscard]] std::vector<config::Problem> ReadNow();

  // ChangePassword writes a new password into the users file and takes the mark `expired` away, by
  // the thread of UserFiles. `done` is told by it, when the table has the new password too, or at
  // once with ResourceExhausted. Errors: those of EditUsersFile() and ReplaceFile(). Any thread.
  using Changed = std::function<void(const absl::Status& status)>;
  void ChangePassword(PasswordEdit edit, Changed done);
  // MakeChanges does what was asked for until now, unless the files have changed since they were
  // read: then it waits until Poll has read them. For tests without the thread.
  void MakeChanges();

  [[nodiscard]] uint64_t num_users() const { return num_users_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t num_read() const { return num_read_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t num_refused() const {
    return num_refused_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t num_changed() const {
    return num_changed_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t num_not_changed() const {
    return num_not_changed_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t num_bad_lines() const {
    return num_bad_lines_.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] std::vector<FileStamp> Look() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_);
  std::vector<config::Problem> Reload() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_);
  void Publish(std::shared_ptr<const Users> users) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_);
  void Run(std::chrono::milliseconds period);
  // Write tries once; Aborted: the file was written by somebody else meanwhile.
  absl::Status Write(std::span<PasswordEdit> edits) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_);
  // IsSettled: the files are as they were read. While they are not, somebody may be in the midst of
  // writing them, and passwords wait.
  [[nodiscard]] bool IsSettled() ABSL_LOCKS_EXCLUDED(reading_);
  [[nodiscard]] bool IsStopping() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_; }
  [[nodiscard]] bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stop_ || !waiting_.empty();
  }

  const Paths paths_;
  const Replace replace_;
  absl::Mutex reading_;  // held while files are read and written
  // The one before is let go a look later, so that no shard is the one to free a million users.
  std::shared_ptr<const Users> current_ ABSL_GUARDED_BY(reading_), retired_
      ABSL_GUARDED_BY(reading_);
  // As the last table was read, or refused.
  std::vector<FileStamp> seen_ ABSL_GUARDED_BY(reading_);
  // As the last look found them; empty: unchanged.
  std::vector<FileStamp> changed_ ABSL_GUARDED_BY(reading_);
  bool refused_ ABSL_GUARDED_BY(reading_) = false;  // what was seen
  std::atomic<uint64_t> num_users_{0}, num_read_{0}, num_refused_{0}, num_bad_lines_{0},
      num_changed_{0}, num_not_changed_{0};
  LogLimit log_limit_{std::chrono::seconds(1)};
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<PasswordEdit> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Changed> waiting_done_ ABSL_GUARDED_BY(mutex_);  // of each
  std::thread thread_;
};

}  // namespace culvert
