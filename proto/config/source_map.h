// SourceMap remembers where each value of the configuration was written, so that a check across
// keys can name the line.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/config/load.h"

namespace culvert::config {

struct Place {
  std::string file;
  int line = 0;
  bool from_user = false;  // false: an embedded default
  bool bad = false;        // a problem was reported: other checks leave the value alone
};

class SourceMap {
 public:
  void Set(const std::string& key, Place place);
  // EraseItems forgets the items of an array that is replaced.
  void EraseItems(const std::string& key);
  void MarkBad(const std::string& key);
  // Usable: `key` and the tables and arrays around it had no problem of their own.
  [[nodiscard]] bool Usable(const std::string& key) const;
  // Find is the place of `key`, or of the closest table or array around it that has one.
  [[nodiscard]] Place Find(std::string_view key) const;
  // At makes the problem of a conflict between keys: at the first that the user wrote, else at
  // the first.
  [[nodiscard]] Problem At(std::initializer_list<std::string> keys, std::string message) const;

  std::string file;  // of values that have no place: the user's file, or the defaults

 private:
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace culvert::config
