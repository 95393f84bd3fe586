// NextHop: the forwarding table's value, 31 bits.
#pragma once

#include <cstdint>

namespace culvert::dataplane {

class NextHop {
 public:
  enum class Kind : uint8_t {
    kNone,       // no route
    kLocal,      // this machine
    kAdjacency,  // index: of an adjacency
    kOnLink,     // index: port; the host itself is the next hop and has no adjacency yet
    kCall,       // index: of a call
    kClients,    // the clients' networks: ask the ClientTable
    kBlackhole,
  };

  constexpr NextHop() = default;
  constexpr NextHop(Kind kind, uint32_t index = 0)
      : value_(static_cast<uint32_t>(kind) << kIndexBits | index) {}
  static constexpr NextHop FromValue(uint32_t value) {
    NextHop hop;
    hop.value_ = value;
    return hop;
  }
  [[nodiscard]] constexpr Kind kind() const { return static_cast<Kind>(value_ >> kIndexBits); }
  [[nodiscard]] constexpr uint32_t index() const { return value_ & ((1U << kIndexBits) - 1); }
  [[nodiscard]] constexpr uint32_t value() const { return value_; }
  constexpr bool operator==(const NextHop&) const = default;

 private:
  static constexpr unsigned kIndexBits = 28;
  uint32_t value_ = 0;
};

}  // namespace culvert::dataplane
