#include "dataplane/rig/mppe_peer.h"

#include "proto/wire/byte_order.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kMask = wire::ppp::mppe::kCountMask;

bool IsFlag(uint16_t count) { return (count & 0xff) == 0xff; }

}  // namespace

MppePeer::MppePeer(const MppeKeySpec& spec, Style style)
    : spec_(spec), style_(style), sha1_(mppe::Sha1::Create()) {
  key_ = mppe::FirstKey(*sha1_, spec.start_key, spec.bits);
  Schedule();
}

void MppePeer::ChangeKey() {
  mppe::NextKey(*sha1_, spec_.start_key, spec_.bits, &key_);
  Schedule();
}

void MppePeer::Schedule() { mppe::Schedule({key_.data(), mppe::KeyLen(spec_.bits)}, &table_); }

Bytes MppePeer::Send(const Bytes& ipv4) {
  uint16_t header = wire::ppp::mppe::kEncrypted | count_;
  const bool changes = !spec_.stateful || IsFlag(count_) || (flush_ && style_ == Style::kLinux);
  if (changes) {
    ChangeKey();
  } else if (flush_) {
    Schedule();
  }
  // RFC 3078 s7.2 has no bit on flag frames; Linux has.
  if (flush_ || !spec_.stateful || (changes && style_ == Style::kLinux)) {
    header |= wire::ppp::mppe::kFlushed;
  }
  flush_ = false;
  count_ = static_cast<uint16_t>((count_ + 1) & kMask);
  Bytes text = Hex("0021") + ipv4;
  mppe::Crypt(&table_, text);
  Bytes ppp = Hex("ff03 00fd 0000");
  wire::StoreBe16(&ppp[4], header);
  return ppp + text;
}

void MppePeer::Skip(unsigned packets) {
  for (unsigned i = 0; i < packets; ++i) {
    Send(Bytes(20));
  }
}

std::optional<Bytes> MppePeer::Receive(const Bytes& ppp) {
  const uint16_t header = wire::LoadBe16(&ppp[4]);
  const bool flushed = (header & wire::ppp::mppe::kFlushed) != 0;
  const uint16_t count = header & kMask;
  if (!spec_.stateful) {
    for (; count_ != ((count + 1) & kMask); count_ = static_cast<uint16_t>((count_ + 1) & kMask)) {
      ChangeKey();
    }
  } else {
    if (IsFlag(count) && !flushed && style_ == Style::kLinux) {
      return std::nullopt;  // Linux: a sanity error
    }
    if (count != count_ && !discards_) {
      discards_ = true;
      return std::nullopt;
    }
    if (discards_ && !flushed) {
      return std::nullopt;
    }
    if (discards_) {  // the flag frames missed, this one apart
      while ((count & 0xf00) != (count_ & 0xf00)) {
        ChangeKey();
        count_ = static_cast<uint16_t>((count_ + 256) & kMask);
      }
      discards_ = false;
    }
    if (style_ == Style::kLinux ? flushed : IsFlag(count)) {
      ChangeKey();
    } else if (flushed) {
      Schedule();
    }
    count_ = static_cast<uint16_t>((count + 1) & kMask);
  }
  Bytes text(ppp.begin() + 6, ppp.end());
  mppe::Crypt(&table_, text);
  return Bytes(text.begin() + 2, text.end());
}

}  // namespace culvert::dataplane
