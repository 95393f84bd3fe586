// PathMtuTable: outer packets that were too big for a narrow place on the way to a client, as
// routers have told (RFC 1191). Only calls that set DF outside ask it. All workers share it: the
// router's message comes to any of them. A fixed number of words; what shares one pushes the older
// out.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace culvert::dataplane {

class PathMtuTable {
 public:
  static constexpr uint16_t kFloor = 576;           // octets; what forged messages can do, at most
  static constexpr uint32_t kLifetimeMs = 600'000;  // RFC 1191 s6.3: ten minutes

  // Key is what the outer packets of a call have in their headers.
  struct Key {
    uint32_t local_address;
    uint32_t peer_address;
    uint16_t peer_call_id;
  };

  // Learn notes `mtu` octets, at least kFloor. Any worker.
  void Learn(const Key& key, uint16_t mtu, uint32_t now_ms) {
    const uint64_t hash = Hash(key);
    const uint64_t word = (hash & ~kLow) |
                          static_cast<uint64_t>(mtu < kFloor ? kFloor : mtu) << kTimeBits |
                          Time(now_ms);
    words_[hash % kSize].store(word, std::memory_order_relaxed);
  }
  // Find gives the path's MTU; 0: as far as is known, that of our port. Any worker.
  [[nodiscard]] uint16_t Find(const Key& key, uint32_t now_ms) const {
    const uint64_t hash = Hash(key);
    const uint64_t word = words_[hash % kSize].load(std::memory_order_relaxed);
    if (word == 0 || (word & ~kLow) != (hash & ~kLow) ||
        ((Time(now_ms) - word) & kTimeMask) >= kLifetimeMs >> kTimeShift) {
      return 0;
    }
    return static_cast<uint16_t>(word >> kTimeBits);
  }

 private:
  // A word: 26 bits of the hash, the MTU, the time in 1024 ms, which wraps with the milliseconds.
  static constexpr unsigned kSize = 4096;
  static constexpr unsigned kTimeShift = 10;
  static constexpr unsigned kTimeBits = 32 - kTimeShift;
  static constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;
  static constexpr uint64_t kLow = (uint64_t{1} << (kTimeBits + 16)) - 1;

  static uint64_t Time(uint32_t now_ms) { return now_ms >> kTimeShift; }
  static uint64_t Hash(const Key& key) {
    uint64_t hash = (static_cast<uint64_t>(key.local_address) << 32 | key.peer_address) ^
                    key.peer_call_id * 0x9e3779b97f4a7c15;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
  }

  std::array<std::atomic<uint64_t>, kSize> words_{};
};

}  // namespace culvert::dataplane
