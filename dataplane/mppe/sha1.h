// Sha1: SHA-1 by ipsec-mb. One per worker: ipsec-mb's manager belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

struct IMB_MGR;

namespace culvert::dataplane::mppe {

class Sha1 {
 public:
  // Create gives nullptr when ipsec-mb cannot run on this processor.
  static std::unique_ptr<Sha1> Create();
  ~Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;

  [[nodiscard]] std::array<uint8_t, 20> Digest(std::span<const uint8_t> data) const;

 private:
  explicit Sha1(IMB_MGR* manager) : manager_(manager) {}
  IMB_MGR* manager_;
};

}  // namespace culvert::dataplane::mppe
