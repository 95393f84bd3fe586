// WordReader: the words of a text, between blanks.
#pragma once

#include <algorithm>
#include <string_view>

namespace culvert::config {

class WordReader {
 public:
  explicit WordReader(std::string_view text) : rest_(text) { Skip(); }
  // Next takes a word, Peek only looks at it; empty: there is none.
  std::string_view Next() {
    const std::string_view word = Peek();
    rest_.remove_prefix(word.size());
    Skip();
    return word;
  }
  [[nodiscard]] std::string_view Peek() const {
    return rest_.substr(0, rest_.find_first_of(kBlanks));
  }

 private:
  static constexpr std::string_view kBlanks = " \t";
  void Skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size())); }

  std::string_view rest_;
};

}  // namespace culvert::config
