// Spool keeps accounting records on disk until a server has them, and the calls that live, so that
// the next start can end what this one did not. SQLite; one thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "controlplane/accounting/record.h"
#include "controlplane/accounting/spool/sqlite.h"

namespace culvert::accounting {

// Entry is what Commit() writes.
struct Entry {
  // kAlive: the call's session or traffic has changed, and no record is due.
  enum class Step : uint8_t { kStart, kInterim, kStop, kAlive, kOn, kOff };
  Step step = Step::kStart;
  uint64_t call = 0;    // a number of the spool's own: calls in order keep its pages few
  uint32_t time_s = 0;  // since 1970
  std::string record;   // serialised; empty with kAlive
  std::string session;  // serialised, with kStart and kAlive; empty: as before
  Traffic traffic;      // with kStart, kInterim and kAlive
  [[nodiscard]] size_t Size() const { return sizeof *this + record.size() + session.size(); }
};

// StoredRecord waits for a server. `seq` grows in the order of Commit().
struct StoredRecord {
  int64_t seq = 0;
  Entry::Step step = Entry::Step::kStart;
  uint64_t call = 0;
  std::string record;
  bool aside = false;
};

struct LiveCall {
  uint64_t call = 0;
  std::string session;
  Traffic traffic;
};

struct SpoolUsage {
  uint64_t num_records = 0;
  uint64_t num_stuck = 0;
  uint64_t octets = 0, max_octets = 0;  // of pages in use
  uint32_t oldest_s = 0;                // since 1970; 0: there is none
};

// Errors are Database's. After one nothing of the call has been done.
class Spool {
 public:
  struct Settings {
    std::string path;
    uint64_t max_octets = 0;  // the file grows no larger
    int64_t first_seq = 1;    // of an empty file
  };
  // Open makes the file when there is none.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(const Settings& settings);
  // MoveAside renames a damaged file and what SQLite keeps beside it; gives the new name.
  static absl::StatusOr<std::string> MoveAside(const std::string& path, uint32_t now_s);

  // Commit writes `entries` in order and forgets the records `done`, durably, in one transaction.
  // An Interim or Stop takes the place of Interims of the same call that still wait.
  absl::Status Commit(std::span<const Entry> entries, std::span<const int64_t> done,
                      uint32_t now_s);
  // Read: the records after `seq` that are not set aside, at most `limit`, in order.
  absl::StatusOr<std::vector<StoredRecord>> Read(int64_t seq, size_t limit);

  // SetAside: no server takes this record, which is no Interim. Read() leaves it out, ReadAside()
  // gives it.
  absl::Status SetAside(int64_t seq);
  absl::StatusOr<std::vector<StoredRecord>> ReadAside(int64_t seq, size_t limit);
  // DropInterims makes room; gives how many there were.
  absl::StatusOr<uint64_t> DropInterims();

  // Live: the calls that have a Start and no Stop.
  absl::StatusOr<std::vector<LiveCall>> Live();
  // alive_s: when the process that wrote the file last was known to live; 0: there was none.
  [[nodiscard]] uint32_t alive_s() const { return alive_s_; }
  // next_call: no call in the file has this number or a higher one, as of Open().
  [[nodiscard]] uint64_t next_call() const { return next_call_; }
  // next_seq: of the next record.
  [[nodiscard]] int64_t next_seq() const { return next_seq_; }

  absl::StatusOr<SpoolUsage> Usage();

 private:
  // Prepared is in the order of kSql.
  enum Prepared : size_t {
    kInsertRecord,
    kRemoveRecord,
    kRemoveInterims,
    kInsertLive,
    kUpdateTraffic,
    kRemoveLive,
    kRead,
    kReadAside,
    kSetAside,
    kAlive,
    kNumPrepared,
  };

  Spool(std::unique_ptr<Database> database, const Settings& settings);
  absl::Status Initialise();
  absl::Status Prepare();
  absl::Status ReadState();
  absl::Status Write(std::span<const Entry> entries, std::span<const int64_t> done, uint32_t now_s);
  absl::Status WriteEntry(const Entry& entry);
  absl::Status WriteLive(const Entry& entry);
  absl::Status WriteRecord(const Entry& entry);
  absl::Status RemoveInterims(uint64_t call);
  static absl::StatusOr<std::vector<StoredRecord>> Records(Statement& query, bool aside);
  Statement& statement(Prepared which) { return statements_[which]; }

  std::unique_ptr<Database> database_;
  std::vector<Statement> statements_;
  const uint64_t max_octets_;
  int64_t next_seq_;
  uint64_t next_call_ = 1;
  int64_t num_records_ = 0, num_aside_ = 0;
  uint32_t alive_s_ = 0;
};

}  // namespace culvert::accounting
