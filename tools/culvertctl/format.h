// How culvertctl writes values for people.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace culvert::ctl {

// FormatOctets: "512 B", "1.5 kB", "20.0 MB"; a kB is 1000 octets.
[[nodiscard]] std::string FormatOctets(uint64_t octets);
// FormatRate: "512 bit/s", "1.5 kbit/s", "20.0 Mbit/s".
[[nodiscard]] std::string FormatRate(uint64_t bps);
// ParseRate: bits a second as a number, or with k, M or G behind it: "64000", "64k", "1.5M".
[[nodiscard]] std::optional<uint64_t> ParseRate(const std::string& text);
// FormatDuration: "7s", "4m05s", "2h03m", "1d02h".
[[nodiscard]] std::string FormatDuration(const google::protobuf::Duration& duration);
// FormatTime: local time, "2026-11-22 10:05:19".
[[nodiscard]] std::string FormatTime(const google::protobuf::Timestamp& time);

// ToJson: one object with the names of the .proto and all fields, zeros too. 64-bit integers are
// strings, as protobuf's JSON mapping has them. `pretty`: over several lines.
[[nodiscard]] std::string ToJson(const google::protobuf::Message& message, bool pretty);

// Table is text in aligned columns, two spaces between them.
class Table {
 public:
  enum class Align : uint8_t { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // AddRow takes one cell a column.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Lines: the titles, then the rows; no line ends in a space.
  [[nodiscard]] std::vector<std::string> Lines() const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace culvert::ctl
