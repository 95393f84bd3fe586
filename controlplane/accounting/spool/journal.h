// Journal writes entries to the spool, whatever happens to it: what cannot be written waits in
// memory, within a limit; a damaged file is moved aside. Every loss is counted. One thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "controlplane/accounting/spool/spool.h"
#include "controlplane/logging/log_limit.h"

namespace culvert::accounting {

// Losses of records for ever, by Entry::Step (kAlive: none).
using Losses = std::array<uint64_t, 6>;

struct JournalUsage {
  SpoolUsage spool;
  uint64_t num_waiting = 0;  // entries in memory, because they could not be written
  bool failing = false;      // the last attempt to write has failed
  Losses dropped{};          // there was no room for them
  // Files that were moved aside, and how many records those had that broke while in use.
  uint64_t num_damaged_files = 0, num_damaged_records = 0;
};

class Journal {
 public:
  struct Settings {
    std::string path;
    uint64_t max_octets = 1 << 30;
    uint32_t alert_percent = 80;  // of max_octets
    size_t max_waiting_octets = 64 << 20;
  };
  // Restore gives what a new file must know of the calls that live.
  using Restore = std::function<void(std::vector<Entry>*)>;

  // Open: a damaged file is moved aside. Errors name the file and the remedy.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const Settings& settings, Restore restore,
                                                       uint32_t now_s);

  // Write puts entries behind those that wait and writes all it can; `done` are records to be
  // forgotten. With nothing to do it tells the file that the process lives.
  void Write(std::vector<Entry> entries, const std::vector<int64_t>& done, uint64_t now_ms,
             uint32_t now_s);
  // TakeSuperseded: calls of which an Interim or a Stop was written since the last time.
  [[nodiscard]] std::unordered_set<uint64_t> TakeSuperseded();

  // These are the spool's; with an error, which is logged, they give nothing.
  [[nodiscard]] std::vector<StoredRecord> Read(int64_t seq, size_t limit);
  [[nodiscard]] std::vector<StoredRecord> ReadAside(int64_t seq, size_t limit);
  void SetAside(int64_t seq);
  [[nodiscard]] std::vector<LiveCall> Live();
  [[nodiscard]] uint32_t alive_s() const { return spool_->alive_s(); }
  [[nodiscard]] uint64_t next_call() const { return spool_->next_call(); }

  // Usage looks, and raises the alert when there is cause.
  [[nodiscard]] const JournalUsage& Usage();
  // empty: nothing waits in memory.
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  Journal(const Settings& settings, Restore restore, std::unique_ptr<Spool> spool)
      : settings_(settings), restore_(std::move(restore)), spool_(std::move(spool)) {}

  absl::Status Flush(uint32_t now_s);
  // WriteBatch writes at most `most` of those that wait.
  absl::Status WriteBatch(size_t most, uint32_t now_s);
  absl::Status MakeRoom(uint32_t now_s);
  // BeginAnew moves a damaged file aside and opens another one.
  absl::Status BeginAnew(uint32_t now_s);
  void Trim();
  void Drop(bool (*chosen)(const Entry&), size_t target_octets);
  void OnResult(const absl::Status& status, uint64_t now_ms);
  void OnReadError(const absl::Status& status);

  const Settings settings_;
  const Restore restore_;
  std::unique_ptr<Spool> spool_;  // null: the damaged one has gone, and no other could be opened
  int64_t next_seq_ = 1;          // then
  std::deque<Entry> waiting_;
  size_t waiting_octets_ = 0;
  std::vector<int64_t> done_;
  std::unordered_set<uint64_t> superseded_;
  bool is_damaged_ = false;
  bool alerted_ = false;
  uint64_t retry_ms_ = 0;
  JournalUsage usage_;
  LogLimit log_limit_{std::chrono::seconds(10)};
};

}  // namespace culvert::accounting
