#include "controlplane/radius/attribute_list.h"

#include <algorithm>
#include <array>

#include "proto/wire/byte_order.h"

namespace culvert::radius {

namespace {
constexpr uint8_t kMaxTag = 0x1f;
constexpr uint32_t kMaxTaggedInteger = 0xffffff;
}  // namespace

void AttributeList::Fail(PacketError error) {
  if (!error_) {
    error_ = error;
  }
}

void AttributeList::Add(AttributeId id, Octets value) {
  const bool vendors = id.vendor != 0;
  if (value.empty()) {
    return Fail(PacketError::kEmptyValue);
  }
  if (value.size() > (vendors ? kMaxVendorValueLen : kMaxValueLen)) {
    return Fail(PacketError::kValueTooLong);
  }
  const size_t len = value.size() + 2;
  const size_t whole = vendors ? len + 6 : len;
  if (kHeaderLen + octets_.size() + whole > kMaxPacketLen) {
    return Fail(PacketError::kPacketTooLong);
  }
  if (vendors) {
    std::array<uint8_t, 6> front = {kVendorSpecific, static_cast<uint8_t>(whole)};
    wire::StoreBe32(&front[2], id.vendor);
    octets_.insert(octets_.end(), front.begin(), front.end());
  }
  octets_.push_back(id.type);
  octets_.push_back(static_cast<uint8_t>(len));
  octets_.insert(octets_.end(), value.begin(), value.end());
}

void AttributeList::AddText(AttributeId id, std::string_view text) {
  Add(id, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void AttributeList::AddInteger(AttributeId id, uint32_t value) {
  std::array<uint8_t, 4> octets;
  wire::StoreBe32(octets.data(), value);
  Add(id, octets);
}

void AttributeList::AddLong(AttributeId id, Octets value) {
  const size_t most = id.vendor != 0 ? kMaxVendorValueLen : kMaxValueLen;
  do {
    const size_t len = std::min(value.size(), most);
    Add(id, value.first(len));
    value = value.subspan(len);
  } while (!value.empty() && !error_);
}

void AttributeList::AddTaggedInteger(AttributeId id, uint8_t tag, uint32_t value) {
  if (tag > kMaxTag) {
    return Fail(PacketError::kBadTag);
  }
  if (value > kMaxTaggedInteger) {
    return Fail(PacketError::kValueTooLong);
  }
  AddInteger(id, uint32_t{tag} << 24 | value);
}

void AttributeList::AddTaggedText(AttributeId id, uint8_t tag, std::string_view text) {
  if (tag > kMaxTag) {
    return Fail(PacketError::kBadTag);
  }
  if (text.empty()) {
    return Fail(PacketError::kEmptyValue);
  }
  std::vector<uint8_t> value = {tag};
  value.insert(value.end(), text.begin(), text.end());
  Add(id, value);
}

void AttributeList::AddIpv6Prefix(AttributeId id, std::span<const uint8_t, 16> address,
                                  uint8_t length) {
  if (length > 128) {
    return Fail(PacketError::kValueTooLong);
  }
  std::vector<uint8_t> value = {0, length};
  const size_t octets = (length + 7u) / 8;
  value.insert(value.end(), address.begin(), address.begin() + static_cast<ptrdiff_t>(octets));
  if (length % 8 != 0) {
    value.back() &= static_cast<uint8_t>(0xff << (8 - length % 8));
  }
  Add(id, value);
}

void AttributeList::Append(const AttributeList& other) {
  if (other.error_) {
    return Fail(*other.error_);
  }
  if (kHeaderLen + octets_.size() + other.octets_.size() > kMaxPacketLen) {
    return Fail(PacketError::kPacketTooLong);
  }
  octets_.insert(octets_.end(), other.octets_.begin(), other.octets_.end());
}

tl::expected<AttributeList, PacketError> AttributeList::FromOctets(Octets octets) {
  if (octets.size() > kMaxPacketLen - kHeaderLen) {
    return tl::unexpected(PacketError::kPacketTooLong);
  }
  for (Octets rest = octets; !rest.empty(); rest = rest.subspan(rest[1])) {
    if (rest.size() < 2 || rest[1] < 2 || rest[1] > rest.size()) {
      return tl::unexpected(PacketError::kBadAttribute);
    }
  }
  AttributeList list;
  list.octets_.assign(octets.begin(), octets.end());
  return list;
}

}  // namespace culvert::radius
