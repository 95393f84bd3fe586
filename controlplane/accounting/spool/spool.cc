#include "controlplane/accounting/spool/spool.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace culvert::accounting {

namespace {

constexpr int64_t kVersion = 1;
constexpr int64_t kPageLen = 4096;

// Interims alone are looked for by call: an index of all records would cost every Start and Stop.
constexpr char kSchema[] =
    "CREATE TABLE IF NOT EXISTS record(seq INTEGER PRIMARY KEY, step INTEGER NOT NULL,"
    " call INTEGER NOT NULL, time_s INTEGER NOT NULL, aside INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS interim ON record(call) WHERE step = 1;"
    "CREATE INDEX IF NOT EXISTS aside ON record(seq) WHERE aside = 1;"
    "CREATE TABLE IF NOT EXISTS live(call INTEGER PRIMARY KEY, session BLOB NOT NULL,"
    " input_octets INTEGER NOT NULL, input_packets INTEGER NOT NULL,"
    " output_octets INTEGER NOT NULL, output_packets INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS process(id INTEGER PRIMARY KEY, alive_s INTEGER NOT NULL);";
static_assert(static_cast<int>(Entry::Step::kInterim) == 1, "as the schema says");

constexpr std::array<std::string_view, 10> kSql = {
    "INSERT INTO record VALUES(?1, ?2, ?3, ?4, 0, ?5)",
    "DELETE FROM record WHERE seq = ?1 RETURNING aside",
    "DELETE FROM record WHERE step = 1 AND call = ?1",
    "INSERT OR REPLACE INTO live VALUES(?1, ?6, ?2, ?3, ?4, ?5)",
    "UPDATE live SET input_octets = ?2, input_packets = ?3, output_octets = ?4,"
    " output_packets = ?5 WHERE call = ?1",
    "DELETE FROM live WHERE call = ?1",
    "SELECT seq, step, call, body FROM record WHERE seq > ?1 AND aside = 0 ORDER BY seq LIMIT ?2",
    "SELECT seq, step, call, body FROM record WHERE seq > ?1 AND aside = 1 ORDER BY seq LIMIT ?2",
    "UPDATE record SET aside = 1 WHERE seq = ?1 AND aside = 0",
    "INSERT OR REPLACE INTO process VALUES(0, ?1)",
};

// SQLite's integers are signed: the bits are what is kept.
int64_t Bits(uint64_t value) { return static_cast<int64_t>(value); }

}  // namespace

Spool::Spool(std::unique_ptr<Database> database, const Settings& settings)
    : database_(std::move(database)),
      max_octets_(settings.max_octets),
      next_seq_(settings.first_seq) {
  static_assert(kSql.size() == kNumPrepared);
}

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(const Settings& settings) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(settings.path);
  if (!database.ok()) {
    return database.status();
  }
  std::unique_ptr<Spool> spool(new Spool(*std::move(database), settings));
  if (absl::Status status = spool->Initialise(); !status.ok()) {
    return status;
  }
  return spool;
}

absl::Status Spool::Initialise() {
  // FULL: each commit is on the disk, not only with the kernel, before a record goes to a server.
  const std::string pragmas = absl::StrCat(
      "PRAGMA page_size = ", kPageLen, "; PRAGMA locking_mode = EXCLUSIVE;",
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;",
      "PRAGMA temp_store = MEMORY; PRAGMA max_page_count = ", max_octets_ / kPageLen, ";");
  if (absl::Status status = database_->Execute(pragmas); !status.ok()) {
    return status;
  }
  absl::StatusOr<int64_t> version = database_->Value("PRAGMA user_version");
  if (!version.ok()) {
    return version.status();
  }
  if (*version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the accounting spool is of a later version of Culvert (", *version, ")"));
  }
  const std::string schema = absl::StrCat(kSchema, "PRAGMA user_version = ", kVersion, ";");
  if (absl::Status status = database_->Execute(schema); !status.ok()) {
    return status;
  }
  return Prepare();
}

absl::Status Spool::Prepare() {
  for (const std::string_view sql : kSql) {
    absl::StatusOr<Statement> statement = database_->Prepare(sql);
    if (!statement.ok()) {
      return statement.status();
    }
    statements_.push_back(*std::move(statement));
  }
  return ReadState();
}

absl::Status Spool::ReadState() {
  int64_t after_seq = 0, after_call = 0, alive_s = 0;
  // Counting reads every page of the table: damage shows here, not when a record is wanted.
  const std::pair<const char*, int64_t*> kNumbers[] = {
      {"SELECT count(body) FROM record", &num_records_},
      {"SELECT count(*) FROM record WHERE aside = 1", &num_aside_},
      {"SELECT coalesce(max(seq), 0) + 1 FROM record", &after_seq},
      {"SELECT max(coalesce((SELECT max(call) FROM record), 0),"
       " coalesce((SELECT max(call) FROM live), 0)) + 1",
       &after_call},
      {"SELECT alive_s FROM process", &alive_s},
  };
  for (const auto& [sql, number] : kNumbers) {
    absl::StatusOr<int64_t> value = database_->Value(sql);
    if (!value.ok()) {
      return value.status();
    }
    *number = *value;
  }
  next_seq_ = std::max(next_seq_, after_seq);
  next_call_ = static_cast<uint64_t>(after_call);
  alive_s_ = static_cast<uint32_t>(alive_s);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Spool::MoveAside(const std::string& path, uint32_t now_s) {
  const std::string to = absl::StrCat(path, ".damaged-", now_s);
  if (std::rename(path.c_str(), to.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot rename ", path, " to ", to));
  }
  std::rename(absl::StrCat(path, "-wal").c_str(), absl::StrCat(to, "-wal").c_str());
  unlink(absl::StrCat(path, "-shm").c_str());
  return to;
}

absl::Status Spool::Commit(std::span<const Entry> entries, std::span<const int64_t> done,
                           uint32_t now_s) {
  if (absl::Status status = database_->Execute("BEGIN"); !status.ok()) {
    return status;
  }
  const int64_t seq = next_seq_, records = num_records_, aside = num_aside_;
  absl::Status status = Write(entries, done, now_s);
  if (status.ok()) {
    status = database_->Execute("COMMIT");
  }
  if (!status.ok()) {
    next_seq_ = seq;
    num_records_ = records;
    num_aside_ = aside;
    // Some errors have rolled back by themselves: then this one says that there is nothing to do.
    database_->Execute("ROLLBACK").IgnoreError();
  }
  return status;
}

absl::Status Spool::Write(std::span<const Entry> entries, std::span<const int64_t> done,
                          uint32_t now_s) {
  for (const int64_t seq : done) {
    Statement& remove = statement(kRemoveRecord);
    const absl::StatusOr<bool> was_there = remove.Bind(1, seq).Step();
    if (!was_there.ok()) {
      return was_there.status();
    }
    if (*was_there) {
      --num_records_;
      num_aside_ -= remove.Integer(0);
    }
    remove.Reset();
  }
  for (const Entry& entry : entries) {
    if (absl::Status status = WriteEntry(entry); !status.ok()) {
      return status;
    }
  }
  return statement(kAlive).Bind(1, now_s).Run();
}

absl::Status Spool::WriteLive(const Entry& entry) {
  // Without a session only the traffic has changed.
  Statement& write = statement(entry.session.empty() ? kUpdateTraffic : kInsertLive);
  write.Bind(1, Bits(entry.call))
      .Bind(2, Bits(entry.traffic.input_octets))
      .Bind(3, Bits(entry.traffic.input_packets))
      .Bind(4, Bits(entry.traffic.output_octets))
      .Bind(5, Bits(entry.traffic.output_packets));
  if (!entry.session.empty()) {
    write.Bind(6, entry.session);
  }
  return write.Run();
}

absl::Status Spool::WriteEntry(const Entry& entry) {
  switch (entry.step) {
    case Entry::Step::kAlive:
      return WriteLive(entry);
    case Entry::Step::kStart:
    case Entry::Step::kInterim:
      if (absl::Status status = WriteLive(entry); !status.ok()) {
        return status;
      }
      break;
    case Entry::Step::kStop:
      if (absl::Status status = statement(kRemoveLive).Bind(1, Bits(entry.call)).Run();
          !status.ok()) {
        return status;
      }
      break;
    case Entry::Step::kOn:
    case Entry::Step::kOff:
      break;
  }
  return WriteRecord(entry);
}

absl::Status Spool::RemoveInterims(uint64_t call) {
  absl::Status status = statement(kRemoveInterims).Bind(1, Bits(call)).Run();
  if (status.ok()) {
    num_records_ -= database_->Changes();
  }
  return status;
}

absl::Status Spool::WriteRecord(const Entry& entry) {
  if (entry.step == Entry::Step::kInterim || entry.step == Entry::Step::kStop) {
    if (absl::Status status = RemoveInterims(entry.call); !status.ok()) {
      return status;
    }
  }
  absl::Status status = statement(kInsertRecord)
                            .Bind(1, next_seq_)
                            .Bind(2, static_cast<int64_t>(entry.step))
                            .Bind(3, Bits(entry.call))
                            .Bind(4, entry.time_s)
                            .Bind(5, entry.record)
                            .Run();
  if (status.ok()) {
    ++next_seq_;
    ++num_records_;
  }
  return status;
}

absl::StatusOr<std::vector<StoredRecord>> Spool::Records(Statement& query, bool aside) {
  std::vector<StoredRecord> records;
  for (;;) {
    const absl::StatusOr<bool> row = query.Step();
    if (!row.ok()) {
      return row.status();
    }
    if (!*row) {
      return records;
    }
    records.push_back({.seq = query.Integer(0),
                       .step = static_cast<Entry::Step>(query.Integer(1)),
                       .call = static_cast<uint64_t>(query.Integer(2)),
                       .record = std::string(query.Octets(3)),
                       .aside = aside});
  }
}

absl::StatusOr<std::vector<StoredRecord>> Spool::Read(int64_t seq, size_t limit) {
  return Records(statement(kRead).Bind(1, seq).Bind(2, static_cast<int64_t>(limit)), false);
}

absl::StatusOr<std::vector<StoredRecord>> Spool::ReadAside(int64_t seq, size_t limit) {
  return Records(statement(kReadAside).Bind(1, seq).Bind(2, static_cast<int64_t>(limit)), true);
}

absl::Status Spool::SetAside(int64_t seq) {
  absl::Status status = statement(kSetAside).Bind(1, seq).Run();
  if (status.ok()) {
    num_aside_ += database_->Changes();
  }
  return status;
}

absl::StatusOr<uint64_t> Spool::DropInterims() {
  if (absl::Status status = database_->Execute("DELETE FROM record WHERE step = 1"); !status.ok()) {
    return status;
  }
  const int64_t dropped = database_->Changes();
  num_records_ -= dropped;
  return static_cast<uint64_t>(dropped);
}

absl::StatusOr<std::vector<LiveCall>> Spool::Live() {
  absl::StatusOr<Statement> query = database_->Prepare(
      "SELECT call, session, input_octets, input_packets, output_octets, output_packets FROM live");
  if (!query.ok()) {
    return query.status();
  }
  std::vector<LiveCall> calls;
  for (;;) {
    const absl::StatusOr<bool> row = query->Step();
    if (!row.ok()) {
      return row.status();
    }
    if (!*row) {
      return calls;
    }
    const auto number = [&](int column) { return static_cast<uint64_t>(query->Integer(column)); };
    calls.push_back({.call = number(0),
                     .session = std::string(query->Octets(1)),
                     .traffic = {.input_octets = number(2),
                                 .input_packets = number(3),
                                 .output_octets = number(4),
                                 .output_packets = number(5)}});
  }
}

absl::StatusOr<SpoolUsage> Spool::Usage() {
  const absl::StatusOr<int64_t> pages = database_->Value("PRAGMA page_count");
  const absl::StatusOr<int64_t> free_pages = database_->Value("PRAGMA freelist_count");
  const absl::StatusOr<int64_t> oldest_s =
      database_->Value("SELECT time_s FROM record ORDER BY seq LIMIT 1");
  for (const absl::StatusOr<int64_t>* value : {&pages, &free_pages, &oldest_s}) {
    if (!value->ok()) {
      return value->status();
    }
  }
  return SpoolUsage{.num_records = static_cast<uint64_t>(num_records_),
                    .num_stuck = static_cast<uint64_t>(num_aside_),
                    .octets = static_cast<uint64_t>((*pages - *free_pages) * kPageLen),
                    .max_octets = max_octets_,
                    .oldest_s = static_cast<uint32_t>(*oldest_s)};
}

}  // namespace culvert::accounting
