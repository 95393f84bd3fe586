#include "controlplane/aaa/users/user_files.h"

#include <absl/time/time.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <utility>

namespace culvert {

namespace {

constexpr size_t kMaxLogged = 100;  // problems of one reading

void Add(UserProblems more, UserProblems& problems) {
  problems.errors.insert(problems.errors.end(), std::make_move_iterator(more.errors.begin()),
                         std::make_move_iterator(more.errors.end()));
  problems.warnings.insert(problems.warnings.end(), std::make_move_iterator(more.warnings.begin()),
                           std::make_move_iterator(more.warnings.end()));
}

void Log(const std::vector<config::Problem>& problems, const char* consequence) {
  for (size_t i = 0; i < std::min(problems.size(), kMaxLogged); ++i) {
    spdlog::error("{} ({})", config::Format(problems[i]), consequence);
  }
  if (problems.size() > kMaxLogged) {
    spdlog::error("{} more problems; `culvert-controlplane --check` lists them",
                  problems.size() - kMaxLogged);
  }
}

}  // namespace

UserProblems UserFiles::Read(const Paths& paths, Users& users) {
  UserProblems problems;
  if (!paths.users_file.empty()) {
    problems = ReadUsersFile(paths.users_file, paths.gateway, users);
  }
  if (!paths.chap_secrets_file.empty()) {
    Add(ReadChapSecrets(paths.chap_secrets_file, paths.server_name, paths.gateway, users),
        problems);
  }
  return problems;
}

UserFiles::UserFiles(Paths paths, std::shared_ptr<const Users> loaded, Replace replace)
    : paths_(std::move(paths)),
      replace_(std::move(replace)),
      current_(std::move(loaded)),
      seen_(current_->sources()) {
  num_users_ = current_->size();
  for (const std::string* path : {&paths_.users_file, &paths_.chap_secrets_file}) {
    if (!path->empty() && current_->sources().empty()) {
      seen_.push_back(StampOf(*path));  // a table that was not read from files
    }
  }
}

UserFiles::~UserFiles() { Stop(); }

void UserFiles::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  std::vector<Changed> dropped;  // with the calls that wait: not under the lock
  {
    absl::MutexLock lock(&mutex_);
    dropped.swap(waiting_done_);
    waiting_.clear();
  }
}

void UserFiles::Start(std::chrono::milliseconds period) {
  absl::MutexLock lock(&reading_);
  if (!seen_.empty()) {
    thread_ = std::thread([this, period] { Run(period); });
  }
}

void UserFiles::Run(std::chrono::milliseconds period) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point next_look = Clock::now() + period;
  for (;;) {
    const bool settled = IsSettled();
    {
      absl::MutexLock lock(&mutex_);
      const auto left = std::max(next_look - Clock::now(), Clock::duration::zero());
      mutex_.AwaitWithTimeout(
          absl::Condition(this, settled ? &UserFiles::HasWork : &UserFiles::IsStopping),
          absl::FromChrono(left));
      if (stop_) {
        return;
      }
    }
    MakeChanges();
    if (Clock::now() >= next_look) {
      Poll();
      next_look = Clock::now() + period;
    }
  }
}

bool UserFiles::IsSettled() {
  absl::MutexLock lock(&reading_);
  return Look() == seen_;
}

std::vector<FileStamp> UserFiles::Look() const {
  std::vector<FileStamp> stamps;
  for (const FileStamp& stamp : seen_) {
    stamps.push_back(StampOf(stamp.path));
  }
  return stamps;
}

void UserFiles::Publish(std::shared_ptr<const Users> users) {
  retired_ = std::exchange(current_, std::move(users));
  replace_(*retired_, current_);
}

UserFiles::Outcome UserFiles::Poll() {
  absl::MutexLock lock(&reading_);
  retired_.reset();
  std::vector<FileStamp> now = Look();
  if (now == seen_) {
    changed_.clear();
    return Outcome::kUnchanged;
  }
  if (now != changed_) {
    changed_ = std::move(now);
    return Outcome::kWaiting;
  }
  changed_.clear();
  return Reload().empty() ? Outcome::kReplaced : Outcome::kRefused;
}

std::vector<config::Problem> UserFiles::ReadNow() {
  absl::MutexLock lock(&reading_);
  changed_.clear();
  return refused_ || Look() != seen_ ? Reload() : std::vector<config::Problem>{};
}

std::vector<config::Problem> UserFiles::Reload() {
  const auto start = std::chrono::steady_clock::now();
  auto users = std::make_shared<Users>();
  const UserProblems problems = Read(paths_, *users);
  seen_ = users->sources();
  refused_ = !problems.errors.empty();
  if (refused_) {
    Log(problems.errors, "the users stay as they were");
    ++num_refused_;
    return problems.errors;
  }
  Log(problems.warnings, "this line is left out");
  num_bad_lines_ = problems.warnings.size();
  num_users_ = users->size();
  ++num_read_;
  Publish(std::move(users));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  spdlog::info("users read again: {} users in {:.2f} s", current_->size(), took.count());
  return {};
}

}  // namespace culvert
