// AckDelay: how long an acknowledgement waits for a packet to go along with (RFC 2637 s4.3), in an
// octet of a call's row: exact up to 128 ms, beyond that in steps of 8 ms.
#pragma once

#include <cstdint>

namespace culvert::dataplane {

class AckDelay {
 public:
  static constexpr uint32_t kMaxMs = 1000;

  // Takes 1 to kMaxMs; what lies between two steps becomes the longer one.
  constexpr explicit AckDelay(uint32_t ms)
      : octet_(static_cast<uint8_t>(ms <= kExactMs ? ms : kExactMs + (ms - kExactMs + 7) / 8)) {}
  static constexpr AckDelay FromOctet(uint8_t octet) {
    AckDelay delay(1);
    delay.octet_ = octet;
    return delay;
  }
  [[nodiscard]] constexpr uint8_t octet() const { return octet_; }
  [[nodiscard]] constexpr uint32_t ms() const {
    return octet_ <= kExactMs ? octet_ : kExactMs + (octet_ - kExactMs) * 8;
  }

 private:
  static constexpr uint32_t kExactMs = 128;
  uint8_t octet_;
};
static_assert(AckDelay(AckDelay::kMaxMs).ms() == AckDelay::kMaxMs);

}  // namespace culvert::dataplane
