#include "controlplane/accounting/spool/sqlite.h"

#include <absl/strings/str_cat.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace culvert::accounting {

namespace {

absl::StatusCode CodeOf(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_IOERR: {
      // A page that is cut short, or a full disk met where SQLite takes no note of why.
      const int reason = sqlite3_system_errno(database);
      if (reason == ENOSPC || reason == EDQUOT) {
        return absl::StatusCode::kResourceExhausted;
      }
      return code == SQLITE_IOERR_SHORT_READ ? absl::StatusCode::kDataLoss
                                             : absl::StatusCode::kUnavailable;
    }
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status ErrorOf(sqlite3* database) {
  const char* file = sqlite3_db_filename(database, "main");
  return {CodeOf(database),
          absl::StrCat(file == nullptr ? "" : file, ": ", sqlite3_errmsg(database))};
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}

Statement& Statement::Bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}

Statement& Statement::Bind(int index, std::string_view octets) {
  sqlite3_bind_blob64(statement_, index, octets.data() == nullptr ? "" : octets.data(),
                      octets.size(), SQLITE_STATIC);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      sqlite3_reset(statement_);
      return false;
    default: {
      absl::Status status = ErrorOf(sqlite3_db_handle(statement_));
      sqlite3_reset(statement_);
      return status;
    }
  }
}

absl::Status Statement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() { sqlite3_reset(statement_); }

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::Octets(int column) const {
  const void* octets = sqlite3_column_blob(statement_, column);
  const int len = sqlite3_column_bytes(statement_, column);
  return octets == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(octets), static_cast<size_t>(len));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  if (code != SQLITE_OK) {
    absl::Status status = absl::UnavailableError(absl::StrCat(path, ": ", sqlite3_errstr(code)));
    sqlite3_close(database);
    return status;
  }
  return std::unique_ptr<Database>(new Database(database));
}

Database::~Database() { sqlite3_close(database_); }

absl::Status Database::Execute(const std::string& sql) {
  return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : ErrorOf(database_);
}

absl::StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return ErrorOf(database_);
  }
  return Statement(statement);
}

absl::StatusOr<int64_t> Database::Value(const std::string& sql) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) {
    return statement.status();
  }
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) {
    return row.status();
  }
  return *row ? statement->Integer(0) : 0;
}

int64_t Database::Changes() const { return sqlite3_changes64(database_); }

}  // namespace culvert::accounting
