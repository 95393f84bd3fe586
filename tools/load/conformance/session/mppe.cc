#include "tools/load/conformance/session/mppe.h"

#include <algorithm>

#include "proto/wire/ppp.h"

namespace culvert::load::conformance {

namespace mppe = dataplane::mppe;
namespace wm = wire::ppp::mppe;

MppeChain::MppeChain(std::span<const uint8_t> start_key, uint16_t bits, bool stateless)
    : bits_(bits), stateless_(stateless), sha1_(mppe::Sha1::Create()) {
  std::copy_n(start_key.begin(), std::min(start_key.size(), start_key_.size()), start_key_.begin());
  key_ = mppe::FirstKey(*sha1_, start_key_, bits_);
  rc4_.emplace(std::span(key_).first(mppe::KeyLen(bits_)));
}

void MppeChain::Change() {
  mppe::NextKey(*sha1_, start_key_, bits_, &key_);
  rc4_.emplace(std::span(key_).first(mppe::KeyLen(bits_)));
}

std::vector<uint8_t> MppeChain::Encrypt(std::span<const uint8_t> inner) {
  const bool flag = (count_ & 0xff) == 0xff;
  uint16_t header = wm::kEncrypted | count_;
  if (stateless_ || flag) {
    Change();
    header |= wm::kFlushed;
  } else if (flush_) {
    rc4_.emplace(std::span(key_).first(mppe::KeyLen(bits_)));
    header |= wm::kFlushed;
  }
  flush_ = false;
  count_ = (count_ + 1) & wm::kCountMask;
  std::vector<uint8_t> out(2 + inner.size());
  wire::StoreBe16(out.data(), header);
  std::copy(inner.begin(), inner.end(), out.begin() + 2);
  rc4_->Crypt(std::span(out).subspan(2));
  return out;
}

void MppeChain::Skip(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    if (stateless_ || (count_ & 0xff) == 0xff) {
      Change();
    }
    count_ = (count_ + 1) & wm::kCountMask;
  }
}

std::optional<std::vector<uint8_t>> MppeChain::Decrypt(std::span<const uint8_t> packet) {
  if (packet.size() < 2) {
    return std::nullopt;
  }
  const uint16_t header = wire::LoadBe16(packet.data());
  headers.push_back(header);
  const unsigned ahead = ((header & wm::kCountMask) - count_) & wm::kCountMask;
  if ((header & wm::kEncrypted) == 0 || ahead > 2048 || (!stateless_ && ahead != 0)) {
    return std::nullopt;
  }
  Skip(ahead);
  if (stateless_ || (count_ & 0xff) == 0xff) {
    Change();
  } else if ((header & wm::kFlushed) != 0) {
    rc4_.emplace(std::span(key_).first(mppe::KeyLen(bits_)));
  }
  count_ = (count_ + 1) & wm::kCountMask;
  std::vector<uint8_t> out(packet.begin() + 2, packet.end());
  rc4_->Crypt(out);
  return out;
}

}  // namespace culvert::load::conformance
