// Order tells new packets of a numbered stream from late and duplicated ones.
#pragma once

#include <cstdint>

namespace culvert::load {

class Order {
 public:
  enum class Place : uint8_t {
    kNext,       // higher than all before
    kLate,       // lower than one before, seen for the first time
    kDuplicate,  // seen before
    kTooLate,    // so far behind that nobody knows: taken as late
  };

  // See remembers the last 64 numbers.
  Place See(uint32_t number) {
    if (!any_) {
      any_ = true;
      highest_ = number;
      seen_ = 1;
      return Place::kNext;
    }
    const auto ahead = static_cast<int32_t>(number - highest_);
    if (ahead > 0) {
      seen_ = ahead < 64 ? seen_ << ahead | 1 : 1;
      highest_ = number;
      return Place::kNext;
    }
    if (ahead <= -64) {
      return Place::kTooLate;
    }
    const uint64_t bit = uint64_t{1} << -ahead;
    const bool again = (seen_ & bit) != 0;
    seen_ |= bit;
    return again ? Place::kDuplicate : Place::kLate;
  }

 private:
  uint64_t seen_ = 0;  // bit n: highest_ - n
  uint32_t highest_ = 0;
  bool any_ = false;
};

}  // namespace culvert::load
