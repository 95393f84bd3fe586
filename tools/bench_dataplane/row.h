// Row: one result, printed as one JSON object on a line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace culvert::bench {

class Row {
 public:
  explicit Row(std::string_view bench) { Text("bench", bench); }
  // Values are plain words: nothing is escaped.
  Row& Text(std::string_view name, std::string_view value) {
    return Put(name, '"' + std::string(value) + '"');
  }
  Row& Count(std::string_view name, uint64_t value) { return Put(name, std::to_string(value)); }
  Row& Number(std::string_view name, double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.*f", digits, value);
    return Put(name, text);
  }
  Row& None(std::string_view name) { return Put(name, "null"); }
  void Print() const {
    std::printf("{%s}\n", text_.c_str());
    std::fflush(stdout);
  }

 private:
  Row& Put(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? "" : ", ";
    text_ += '"';
    text_ += name;
    text_ += "\": ";
    text_ += value;
    return *this;
  }
  std::string text_;
};

}  // namespace culvert::bench
