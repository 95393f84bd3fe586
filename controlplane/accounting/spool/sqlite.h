// Database and Statement wrap SQLite's C interface: they close themselves, and their errors are
// sorted by what can be done about them. One thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace culvert::accounting {

class Database;

class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Bind sets parameters 1, 2, ... . Octets are borrowed until the statement
  // has been stepped for the last time.
  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, std::string_view octets);
  // Step is true when there is a row, false at the end. The statement begins anew after an end or
  // an error; Reset() makes it begin anew before.
  absl::StatusOr<bool> Step();
  // Run is Step() of a statement that gives no row.
  absl::Status Run();
  void Reset();

  // Of the row; `column` from 0. Octets are valid until the next Step().
  [[nodiscard]] int64_t Integer(int column) const;
  [[nodiscard]] std::string_view Octets(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
};

// Errors: RESOURCE_EXHAUSTED (no room on the disk or below the limit), DATA_LOSS (the file is
// damaged, or is no database), UNAVAILABLE (all else). They name the file.
class Database {
 public:
  // Open makes the file when there is none.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  absl::Status Execute(const std::string& sql);
  absl::StatusOr<Statement> Prepare(std::string_view sql);
  // Value runs a query that gives one number.
  absl::StatusOr<int64_t> Value(const std::string& sql);
  // Changes: rows that the last statement inserted, changed or removed.
  [[nodiscard]] int64_t Changes() const;

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  sqlite3* database_;
};

}  // namespace culvert::accounting
