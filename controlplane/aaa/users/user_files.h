// UserFiles reads the files of local users again when they change. A thread of its own looks at
// them, reads and checks; the new table is handed over whole, or the old one stays.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/aaa/users/users.h"

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

  // Start looks each `period` from now on.
  void Start(std::chrono::milliseconds period);

  // Poll looks once. A file that has changed is read when a second look finds it as the first did:
  // editors and copies write in steps.
  enum class Outcome { kUnchanged, kWaiting, kReplaced, kRefused };
  Outcome Poll();

  // ReadNow reads at once what has changed, or was refused. With problems the table stays as it
  // was. Any thread.
  [[nodiscard]] std::vector<config::Problem> ReadNow();

  [[nodiscard]] uint64_t num_users() const { return num_users_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t num_read() const { return num_read_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t num_refused() const {
    return num_refused_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t num_bad_lines() const {
    return num_bad_lines_.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] std::vector<FileStamp> Look() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_);
  std::vector<config::Problem> Reload() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_);
  void Run(std::chrono::milliseconds period);

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
  std::atomic<uint64_t> num_users_{0}, num_read_{0}, num_refused_{0}, num_bad_lines_{0};
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace culvert
