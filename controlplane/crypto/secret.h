// Secret is the one type that holds passwords and keys: it wipes its octets when it
// goes, moves but never copies, compares in constant time, and has no way to be printed.
#pragma once

#include <openssl/crypto.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace culvert {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const uint8_t> octets) : octets_(octets.begin(), octets.end()) {}
  Secret(Secret&& other) noexcept : octets_(std::exchange(other.octets_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      octets_ = std::exchange(other.octets_, {});
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Wipe(); }

  // Clone is the explicit copy, for the few places that must keep one.
  [[nodiscard]] Secret Clone() const { return Secret(octets_); }
  // octets borrows; valid until the Secret changes.
  [[nodiscard]] std::span<const uint8_t> octets() const { return octets_; }
  [[nodiscard]] bool empty() const { return octets_.empty(); }
  // Equals takes time that depends on the lengths only.
  [[nodiscard]] bool Equals(std::span<const uint8_t> other) const {
    return octets_.size() == other.size() &&
           CRYPTO_memcmp(octets_.data(), other.data(), other.size()) == 0;
  }
  void Wipe() {
    if (!octets_.empty()) {
      OPENSSL_cleanse(octets_.data(), octets_.size());
      octets_.clear();
    }
  }

 private:
  std::vector<uint8_t> octets_;
};

}  // namespace culvert
