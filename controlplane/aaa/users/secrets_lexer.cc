#include "controlplane/aaa/users/secrets_lexer.h"

#include <cctype>

namespace culvert {

namespace {
bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool IsOctal(char c) { return c >= '0' && c <= '7'; }
int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
}  // namespace

char SecretsLexer::Take() {
  char c = text_[at_++];
  line_ += c == '\n' ? 1 : 0;
  return c;
}

std::optional<SecretsLine> SecretsLexer::Next() {
  SecretsLine line;
  while (!AtEnd()) {
    if (!SkipToWord()) {
      if (!line.words.empty()) {
        return line;
      }
      continue;  // an empty line
    }
    if (line.words.empty()) {
      line.number = line_;
    }
    line.words.push_back(Word(line.open_quote));
  }
  if (line.words.empty()) {
    return std::nullopt;
  }
  return line;
}

bool SecretsLexer::SkipToWord() {
  while (!AtEnd()) {
    char c = Peek();
    if (c == '\n') {
      Take();
      return false;
    }
    if (c == '#') {
      while (!AtEnd() && Peek() != '\n') {
        Take();
      }
    } else if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
      Take();
      Take();
    } else if (IsSpace(c)) {
      Take();
    } else {
      return true;
    }
  }
  return false;
}

std::string SecretsLexer::Word(bool& open_quote) {
  std::string word;
  char quote = 0;
  while (!AtEnd()) {
    char c = Peek();
    if (c == '\\') {
      Take();
      if (!AtEnd() && Peek() == '\n') {
        Take();
      } else if (!AtEnd()) {
        word.push_back(Escape());
      }
    } else if (quote != 0) {
      Take();
      if (c == quote) {
        quote = 0;
      } else {
        word.push_back(c);
      }
    } else if (c == '"' || c == '\'') {
      quote = Take();
    } else if (IsSpace(c) || c == '#') {
      break;
    } else {
      word.push_back(Take());
    }
  }
  open_quote = open_quote || quote != 0;
  return word;
}

char SecretsLexer::Escape() {
  char c = Take();
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 's':
      return ' ';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      break;
  }
  int value = 0;
  if (IsOctal(c)) {
    value = c - '0';
    for (int i = 1; i < 3 && !AtEnd() && IsOctal(Peek()); ++i) {
      value = value * 8 + (Take() - '0');
    }
    return static_cast<char>(value);
  }
  if (c == 'x') {
    for (int i = 0; i < 2 && !AtEnd() && HexValue(Peek()) >= 0; ++i) {
      value = value * 16 + HexValue(Take());
    }
    return static_cast<char>(value);
  }
  return c;
}

}  // namespace culvert
