#include "controlplane/aaa/pools/occupancy.h"

#include <algorithm>
#include <bit>

namespace culvert {

namespace {
constexpr int kRandomTries = 16;  // a span that is 80 % full is missed by all with 3 %

uint64_t BitOf(uint32_t address) { return uint64_t{1} << (address % 64); }

// MaskOf: the bits of the word at `base` that stand for addresses from `first` to `last`.
uint64_t MaskOf(uint32_t base, uint32_t first, uint32_t last) {
  uint64_t mask = ~uint64_t{0};
  if (first > base) {
    mask &= ~uint64_t{0} << (first - base);
  }
  if (last < base + 63) {
    mask &= ~uint64_t{0} >> (base + 63 - last);
  }
  return mask;
}
}  // namespace

bool Occupancy::Take(uint32_t address) {
  std::unique_ptr<Block>& block = blocks_[address >> kBlockBits];
  if (block == nullptr) {
    block = std::make_unique<Block>();
  }
  uint64_t& word = block->words[address % kBlockLen / 64];
  if ((word & BitOf(address)) != 0) {
    return false;
  }
  word |= BitOf(address);
  ++block->taken;
  return true;
}

void Occupancy::Free(uint32_t address) {
  auto it = blocks_.find(address >> kBlockBits);
  if (it == blocks_.end() || !Taken(address)) {
    return;
  }
  it->second->words[address % kBlockLen / 64] &= ~BitOf(address);
  if (--it->second->taken == 0) {
    blocks_.erase(it);
  }
}

bool Occupancy::Taken(uint32_t address) const {
  auto it = blocks_.find(address >> kBlockBits);
  return it != blocks_.end() && (it->second->words[address % kBlockLen / 64] & BitOf(address)) != 0;
}

uint64_t Occupancy::Count(const config::Ipv4Range& span) const {
  uint64_t sum = 0;
  for (const auto& [number, block] : blocks_) {
    const uint32_t start = number << kBlockBits;
    const uint32_t first = std::max(span.first, start);
    const uint32_t last = std::min(span.last, start + (kBlockLen - 1));
    for (uint64_t base = first & ~63u; first <= last && base <= last; base += 64) {
      const auto at = static_cast<uint32_t>(base);
      sum += std::popcount(block->words[at % kBlockLen / 64] & MaskOf(at, first, last));
    }
  }
  return sum;
}

std::optional<uint32_t> Occupancy::TakeAny(const config::Ipv4Range& span, const Below& below) {
  const auto bound = static_cast<uint32_t>(std::min<uint64_t>(span.Size(), UINT32_MAX));
  uint32_t address = span.first;
  for (int i = 0; i < kRandomTries; ++i) {
    address = span.first + below(bound);
    if (Take(address)) {
      return address;
    }
  }
  std::optional<uint32_t> found = FirstFreeFrom(address, span.last);
  if (!found && address > span.first) {
    found = FirstFreeFrom(span.first, address - 1);
  }
  if (found) {
    Take(*found);
  }
  return found;
}

std::optional<uint32_t> Occupancy::FirstFreeFrom(uint32_t first, uint32_t last) const {
  for (uint64_t next = first; next <= last;) {
    const auto from = static_cast<uint32_t>(next);
    const uint32_t to = std::min(last, from | (kBlockLen - 1));
    if (std::optional<uint32_t> found = FirstFree(from, to)) {
      return found;
    }
    next = uint64_t{to} + 1;
  }
  return std::nullopt;
}

std::optional<uint32_t> Occupancy::FirstFree(uint32_t first, uint32_t last) const {
  auto it = blocks_.find(first >> kBlockBits);
  if (it == blocks_.end()) {
    return first;
  }
  if (it->second->taken == kBlockLen) {
    return std::nullopt;
  }
  for (uint64_t base = first & ~63u; base <= last; base += 64) {
    const auto at = static_cast<uint32_t>(base);
    const uint64_t free = ~it->second->words[at % kBlockLen / 64] & MaskOf(at, first, last);
    if (free != 0) {
      return at + static_cast<uint32_t>(std::countr_zero(free));
    }
  }
  return std::nullopt;
}

}  // namespace culvert
