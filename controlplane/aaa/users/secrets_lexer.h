// SecretsLexer cuts a pppd secrets file into lines of words, by pppd's rules (pppd(8), "SECRETS
// FILE"): words end at white space; quotes of either kind and backslashes take it in; `#` where
// a word could start begins a comment; a backslash before the end of a line joins lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

struct SecretsLine {
  int number = 0;                  // from 1; where the first word starts
  std::vector<std::string> words;  // never empty; holds secrets: wipe
  bool open_quote = false;         // a quote was not closed before the end of the file
};

class SecretsLexer {
 public:
  explicit SecretsLexer(std::string_view text) : text_(text) {}
  // Next gives the next line that has words.
  std::optional<SecretsLine> Next();

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return text_[at_]; }
  char Take();
  bool SkipToWord();  // false: the line or the file ends before one
  std::string Word(bool& open_quote);
  char Escape();

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace culvert
