// A buffer that grows while a message is written, in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "proto/wire/cursor.h"

namespace culvert::ipv6 {

// OctetWriter appends; for messages whose length is not known before (wire::Writer is for those with
// a bound). One thread.
class OctetWriter {
 public:
  void U8(uint8_t v) { octets_.push_back(v); }
  void U16(uint16_t v) {
    U8(static_cast<uint8_t>(v >> 8));
    U8(static_cast<uint8_t>(v));
  }
  void U32(uint32_t v) {
    U16(static_cast<uint16_t>(v >> 16));
    U16(static_cast<uint16_t>(v));
  }
  void Bytes(wire::Octets octets) { octets_.insert(octets_.end(), octets.begin(), octets.end()); }

  // PatchU16 overwrites two octets that were written before, at `offset`.
  void PatchU16(size_t offset, uint16_t v) {
    octets_[offset] = static_cast<uint8_t>(v >> 8);
    octets_[offset + 1] = static_cast<uint8_t>(v);
  }
  [[nodiscard]] size_t size() const { return octets_.size(); }
  // Take gives the message away; the writer is empty then.
  [[nodiscard]] std::vector<uint8_t> Take() { return std::exchange(octets_, {}); }

 private:
  std::vector<uint8_t> octets_;
};

}  // namespace culvert::ipv6
