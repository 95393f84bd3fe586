// Bounds-checked reading and writing of wire formats. Reader and Writer borrow
// their memory. A failed operation changes nothing and makes ok() false for
// good, so a codec may read all its fields and check once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace culvert::wire {

using Octets = std::span<const uint8_t>;

class Reader {
 public:
  explicit Reader(Octets in) : in_(in) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t remaining() const { return in_.size(); }
  [[nodiscard]] Octets rest() const { return in_; }

  // U8, U16, U32 take big-endian integers; 0 when there are too few octets.
  uint8_t U8() { return static_cast<uint8_t>(Take(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Take(2)); }
  uint32_t U32() { return Take(4); }

  // Bytes borrows the next `len` octets; empty when there are too few.
  Octets Bytes(size_t len) {
    if (!Has(len)) {
      return {};
    }
    Octets out = in_.first(len);
    in_ = in_.subspan(len);
    return out;
  }
  void Skip(size_t len) { Bytes(len); }
  // CopyTo fills `out` or leaves it untouched.
  void CopyTo(std::span<uint8_t> out) {
    Octets from = Bytes(out.size());
    if (!from.empty()) {
      std::memcpy(out.data(), from.data(), from.size());
    }
  }

 private:
  bool Has(size_t len) {
    ok_ = ok_ && in_.size() >= len;
    return ok_;
  }
  uint32_t Take(size_t len) {
    if (!Has(len)) {
      return 0;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < len; ++i) {
      value = value << 8 | in_[i];
    }
    in_ = in_.subspan(len);
    return value;
  }

  Octets in_;
  bool ok_ = true;
};

class Writer {
 public:
  explicit Writer(std::span<uint8_t> out) : out_(out) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] Octets written() const { return out_.first(size_); }

  void U8(uint8_t v) { Put(v, 1); }
  void U16(uint16_t v) { Put(v, 2); }
  void U32(uint32_t v) { Put(v, 4); }
  void Bytes(Octets from) {
    if (Has(from.size()) && !from.empty()) {
      std::memcpy(out_.data() + size_, from.data(), from.size());
      size_ += from.size();
    }
  }
  void Zeros(size_t len) {
    if (Has(len)) {
      std::memset(out_.data() + size_, 0, len);
      size_ += len;
    }
  }
  // PatchU16 overwrites two octets that were written before, at `offset`.
  void PatchU16(size_t offset, uint16_t v) {
    if (!ok_ || offset + 2 > size_) {
      ok_ = false;
      return;
    }
    out_[offset] = static_cast<uint8_t>(v >> 8);
    out_[offset + 1] = static_cast<uint8_t>(v);
  }

 private:
  bool Has(size_t len) {
    ok_ = ok_ && out_.size() - size_ >= len;
    return ok_;
  }
  void Put(uint32_t v, size_t len) {
    if (!Has(len)) {
      return;
    }
    for (size_t i = 0; i < len; ++i) {
      out_[size_ + i] = static_cast<uint8_t>(v >> (8 * (len - 1 - i)));
    }
    size_ += len;
  }

  std::span<uint8_t> out_;
  size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace culvert::wire
