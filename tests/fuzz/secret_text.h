// SecretText gives a text as a file that only its owner may read, without touching a disk.
#pragma once

#include <cstdint>
#include <string>

namespace culvert::fuzz {

class SecretText {
 public:
  SecretText(const uint8_t* data, size_t size);
  ~SecretText();
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int file_ = -1;
  std::string path_;
};

}  // namespace culvert::fuzz
