#include "controlplane/accounting/spool/journal.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace culvert::accounting {

namespace {

constexpr size_t kMaxBatch = 4096;  // entries in one transaction
constexpr uint64_t kRetryMs = 1000;

size_t IndexOf(Entry::Step step) { return static_cast<size_t>(step); }

absl::Status Advise(const absl::Status& status) {
  return {status.code(),
          absl::StrCat("accounting spool: ", status.message(),
                       "; see accounting.spool (its folder must exist and be writable, and one "
                       "process has it at a time)")};
}

void LogDamage(const std::string& path, std::string_view what,
               const absl::StatusOr<std::string>& aside) {
  spdlog::error("accounting spool {} is damaged ({}): {}; it is begun anew", path,
                std::string(what),
                aside.ok() ? "moved to " + *aside : std::string(aside.status().message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const Settings& settings, Restore restore,
                                                       uint32_t now_s) {
  const Spool::Settings spool_settings{.path = settings.path, .max_octets = settings.max_octets};
  absl::StatusOr<std::unique_ptr<Spool>> spool = Spool::Open(spool_settings);
  bool was_damaged = false;
  if (absl::IsDataLoss(spool.status())) {
    was_damaged = true;
    const absl::StatusOr<std::string> aside = Spool::MoveAside(settings.path, now_s);
    LogDamage(settings.path, std::string(spool.status().message()), aside);
    if (aside.ok()) {
      spool = Spool::Open(spool_settings);
    }
  }
  if (!spool.ok()) {
    return Advise(spool.status());
  }
  std::unique_ptr<Journal> journal(new Journal(settings, std::move(restore), *std::move(spool)));
  journal->usage_.num_damaged_files = was_damaged ? 1 : 0;
  return journal;
}

void Journal::Write(std::vector<Entry> entries, const std::vector<int64_t>& done, uint64_t now_ms,
                    uint32_t now_s) {
  for (Entry& entry : entries) {
    waiting_octets_ += entry.Size();
    waiting_.push_back(std::move(entry));
  }
  done_.insert(done_.end(), done.begin(), done.end());
  if (now_ms >= retry_ms_) {
    OnResult(Flush(now_s), now_ms);
  }
  Trim();
}

absl::Status Journal::Flush(uint32_t now_s) {
  bool may_begin_anew = true;
  do {
    absl::Status status =
        spool_ == nullptr || is_damaged_ ? BeginAnew(now_s) : WriteBatch(kMaxBatch, now_s);
    if (absl::IsResourceExhausted(status)) {
      status = MakeRoom(now_s);
    } else if (absl::IsDataLoss(status) && std::exchange(may_begin_anew, false)) {
      is_damaged_ = true;
      continue;
    }
    if (!status.ok()) {
      return status;
    }
  } while (!waiting_.empty() || is_damaged_);
  return absl::OkStatus();
}

absl::Status Journal::WriteBatch(size_t most, uint32_t now_s) {
  const auto num = static_cast<ptrdiff_t>(std::min(waiting_.size(), most));
  std::vector<Entry> batch(std::make_move_iterator(waiting_.begin()),
                           std::make_move_iterator(waiting_.begin() + num));
  absl::Status status = spool_->Commit(batch, done_, now_s);
  if (!status.ok()) {
    std::move(batch.begin(), batch.end(), waiting_.begin());
    return status;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + num);
  done_.clear();
  for (const Entry& entry : batch) {
    waiting_octets_ -= entry.Size();
    if (entry.step == Entry::Step::kInterim || entry.step == Entry::Step::kStop) {
      superseded_.insert(entry.call);
    }
  }
  return status;
}

absl::Status Journal::MakeRoom(uint32_t now_s) {
  // What servers have needs no room any more.
  if (!done_.empty()) {
    absl::Status status = spool_->Commit({}, done_, now_s);
    if (!status.ok()) {
      return status;
    }
    done_.clear();
  }
  const absl::StatusOr<uint64_t> dropped = spool_->DropInterims();
  if (!dropped.ok()) {
    return dropped.status();
  }
  usage_.dropped[IndexOf(Entry::Step::kInterim)] += *dropped;
  absl::Status status;
  for (size_t most = kMaxBatch; most != 0; most /= 4) {
    if (status = WriteBatch(most, now_s); !absl::IsResourceExhausted(status)) {
      return status;
    }
  }
  return status;
}

absl::Status Journal::BeginAnew(uint32_t now_s) {
  if (spool_ != nullptr) {
    next_seq_ = spool_->next_seq();
    spool_.reset();
    const absl::StatusOr<std::string> aside = Spool::MoveAside(settings_.path, now_s);
    LogDamage(settings_.path, "while in use", aside);
    ++usage_.num_damaged_files;
    usage_.num_damaged_records += usage_.spool.num_records;
  }
  absl::StatusOr<std::unique_ptr<Spool>> spool = Spool::Open(
      {.path = settings_.path, .max_octets = settings_.max_octets, .first_seq = next_seq_});
  if (!spool.ok()) {
    return spool.status();
  }
  spool_ = *std::move(spool);
  is_damaged_ = false;
  done_.clear();
  std::vector<Entry> live;
  restore_(&live);
  for (Entry& entry : live) {
    waiting_octets_ += entry.Size();
    waiting_.push_front(std::move(entry));
  }
  return absl::OkStatus();
}

void Journal::Trim() {
  if (waiting_octets_ <= settings_.max_waiting_octets) {
    return;
  }
  const size_t target = settings_.max_waiting_octets / 10 * 9;
  Drop(
      [](const Entry& entry) {
        return entry.step == Entry::Step::kInterim || entry.step == Entry::Step::kAlive;
      },
      target);
  Drop([](const Entry& entry) { return entry.step != Entry::Step::kStop; }, target);
  Drop([](const Entry&) { return true; }, target);
}

void Journal::Drop(bool (*chosen)(const Entry&), size_t target_octets) {
  std::deque<Entry> kept;
  for (Entry& entry : waiting_) {
    if (waiting_octets_ <= target_octets || !chosen(entry)) {
      kept.push_back(std::move(entry));
      continue;
    }
    waiting_octets_ -= entry.Size();
    if (entry.step != Entry::Step::kAlive) {
      ++usage_.dropped[IndexOf(entry.step)];
    }
  }
  waiting_ = std::move(kept);
}

void Journal::OnResult(const absl::Status& status, uint64_t now_ms) {
  if (status.ok()) {
    if (std::exchange(usage_.failing, false)) {
      spdlog::info("accounting spool {} can be written again", settings_.path);
    }
    retry_ms_ = 0;
    return;
  }
  usage_.failing = true;
  retry_ms_ = now_ms + kRetryMs;
  if (log_limit_.Admit()) {
    spdlog::error(
        "accounting spool cannot be written: {}; {} records wait in memory; lost so far: {} "
        "starts, {} interims, {} stops",
        std::string(status.message()), waiting_.size(),
        usage_.dropped[IndexOf(Entry::Step::kStart)],
        usage_.dropped[IndexOf(Entry::Step::kInterim)],
        usage_.dropped[IndexOf(Entry::Step::kStop)]);
  }
}

std::unordered_set<uint64_t> Journal::TakeSuperseded() { return std::exchange(superseded_, {}); }

void Journal::OnReadError(const absl::Status& status) {
  is_damaged_ = is_damaged_ || absl::IsDataLoss(status);
  if (log_limit_.Admit()) {
    spdlog::error("accounting spool cannot be read: {}", std::string(status.message()));
  }
}

std::vector<StoredRecord> Journal::Read(int64_t seq, size_t limit) {
  if (spool_ == nullptr) {
    return {};
  }
  absl::StatusOr<std::vector<StoredRecord>> records = spool_->Read(seq, limit);
  if (!records.ok()) {
    OnReadError(records.status());
    return {};
  }
  return *std::move(records);
}

std::vector<StoredRecord> Journal::ReadAside(int64_t seq, size_t limit) {
  if (spool_ == nullptr) {
    return {};
  }
  absl::StatusOr<std::vector<StoredRecord>> records = spool_->ReadAside(seq, limit);
  if (!records.ok()) {
    OnReadError(records.status());
    return {};
  }
  return *std::move(records);
}

void Journal::SetAside(int64_t seq) {
  if (spool_ == nullptr) {
    return;
  }
  if (absl::Status status = spool_->SetAside(seq); !status.ok()) {
    OnReadError(status);
  }
}

std::vector<LiveCall> Journal::Live() {
  absl::StatusOr<std::vector<LiveCall>> calls = spool_->Live();
  if (!calls.ok()) {
    OnReadError(calls.status());
    return {};
  }
  return *std::move(calls);
}

const JournalUsage& Journal::Usage() {
  usage_.num_waiting = waiting_.size();
  if (spool_ == nullptr) {
    return usage_;
  }
  if (absl::StatusOr<SpoolUsage> spool = spool_->Usage(); spool.ok()) {
    usage_.spool = *spool;
  } else {
    OnReadError(spool.status());
  }
  const uint64_t limit = settings_.max_octets / 100 * settings_.alert_percent;
  if (const bool alert = usage_.spool.octets > limit; alert != alerted_) {
    alerted_ = alert;
    spdlog::log(alert ? spdlog::level::err : spdlog::level::info,
                "accounting spool: {} of {} octets are in use, {} the alert level of {} %",
                usage_.spool.octets, settings_.max_octets, alert ? "above" : "below again",
                settings_.alert_percent);
  }
  return usage_;
}

}  // namespace culvert::accounting
