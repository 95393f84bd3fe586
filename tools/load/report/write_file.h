// WriteFile writes a report to a file; no path: nothing. Gives what is wrong, or an empty string.
#pragma once

#include <fstream>
#include <string>

namespace culvert::load {

[[nodiscard]] inline std::string WriteFile(const std::string& path, const std::string& text) {
  if (path.empty()) {
    return "";
  }
  std::ofstream file(path);
  file << text;
  file.close();
  return file.fail() ? path + ": cannot be written" : "";
}

}  // namespace culvert::load
