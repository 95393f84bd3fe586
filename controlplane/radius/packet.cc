#include "controlplane/radius/packet.h"

#include <algorithm>

#include "proto/wire/byte_order.h"
#include "proto/wire/cursor.h"

namespace culvert::radius {

namespace {

constexpr size_t kAttributeHeaderLen = 2;
constexpr size_t kVendorLen = 4;
constexpr uint8_t kMaxTag = 0x1f;
constexpr uint8_t kMaxIpv6PrefixLen = 128;

// Walk calls `take(type, value)` for each attribute; false when their lengths do not add up.
template <typename Take>
bool Walk(Octets in, Take take) {
  while (!in.empty()) {
    if (in.size() < kAttributeHeaderLen || in[1] < kAttributeHeaderLen || in[1] > in.size()) {
      return false;
    }
    take(in[0], in.subspan(kAttributeHeaderLen, in[1] - kAttributeHeaderLen));
    in = in.subspan(in[1]);
  }
  return true;
}

// TakeVendor: RFC 2865 s5.26 recommends a list in the vendor's attribute and does not demand it.
void TakeVendor(Octets value, std::vector<Attribute>& to) {
  if (value.size() < kVendorLen) {
    to.push_back({.id = {0, kVendorSpecific}, .value = value});
    return;
  }
  const uint32_t vendor = wire::LoadBe32(value.data());
  const size_t before = to.size();
  const bool is_list = Walk(value.subspan(kVendorLen), [&](uint8_t type, Octets inner) {
    to.push_back({.id = {vendor, type}, .value = inner});
  });
  if (!is_list) {
    to.resize(before);
    to.push_back({.id = {vendor, 0}, .value = value.subspan(kVendorLen)});
  }
}

}  // namespace

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kAccessRequest:
      return "Access-Request";
    case Code::kAccessAccept:
      return "Access-Accept";
    case Code::kAccessReject:
      return "Access-Reject";
    case Code::kAccountingRequest:
      return "Accounting-Request";
    case Code::kAccountingResponse:
      return "Accounting-Response";
    case Code::kAccessChallenge:
      return "Access-Challenge";
    case Code::kStatusServer:
      return "Status-Server";
    case Code::kDisconnectRequest:
      return "Disconnect-Request";
    case Code::kDisconnectAck:
      return "Disconnect-ACK";
    case Code::kDisconnectNak:
      return "Disconnect-NAK";
    case Code::kCoaRequest:
      return "CoA-Request";
    case Code::kCoaAck:
      return "CoA-ACK";
    case Code::kCoaNak:
      return "CoA-NAK";
  }
  return "unknown";
}

std::string_view ErrorText(PacketError error) {
  switch (error) {
    case PacketError::kTruncated:
      return "truncated";
    case PacketError::kBadLength:
      return "impossible length";
    case PacketError::kBadAttribute:
      return "attribute with an impossible length";
    case PacketError::kEmptyValue:
      return "attribute without a value";
    case PacketError::kValueTooLong:
      return "attribute too long";
    case PacketError::kPacketTooLong:
      return "packet too long";
    case PacketError::kBadTag:
      return "tag above 31";
  }
  return "unknown";
}

tl::expected<Packet, PacketError> Parse(Octets in) {
  wire::Reader header(in);
  Packet packet;
  packet.code = static_cast<Code>(header.U8());
  packet.identifier = header.U8();
  const uint16_t length = header.U16();
  header.CopyTo(packet.authenticator);
  if (!header.ok()) {
    return tl::unexpected(PacketError::kTruncated);
  }
  if (length < kHeaderLen || length > kMaxPacketLen) {
    return tl::unexpected(PacketError::kBadLength);
  }
  if (length > in.size()) {
    return tl::unexpected(PacketError::kTruncated);
  }
  packet.octets = in.first(length);
  const bool adds_up = Walk(packet.octets.subspan(kHeaderLen), [&](uint8_t type, Octets value) {
    if (type == kVendorSpecific) {
      TakeVendor(value, packet.attributes);
    } else {
      packet.attributes.push_back({.id = {0, type}, .value = value});
    }
  });
  if (!adds_up) {
    return tl::unexpected(PacketError::kBadAttribute);
  }
  return packet;
}

const Attribute* Packet::Find(AttributeId id) const {
  auto found = std::find_if(attributes.begin(), attributes.end(),
                            [&](const Attribute& attribute) { return attribute.id == id; });
  return found == attributes.end() ? nullptr : &*found;
}

size_t Packet::Count(AttributeId id) const {
  return static_cast<size_t>(
      std::count_if(attributes.begin(), attributes.end(),
                    [&](const Attribute& attribute) { return attribute.id == id; }));
}

std::vector<uint8_t> Packet::Join(AttributeId id) const {
  std::vector<uint8_t> joined;
  for (const Attribute& attribute : attributes) {
    if (attribute.id == id) {
      joined.insert(joined.end(), attribute.value.begin(), attribute.value.end());
    }
  }
  return joined;
}

std::string Packet::JoinTexts(AttributeId id, char separator) const {
  std::string joined;
  for (const Attribute& attribute : attributes) {
    if (attribute.id != id) {
      continue;
    }
    if (!joined.empty()) {
      joined.push_back(separator);
    }
    joined.append(TextOf(attribute.value));
  }
  return joined;
}

std::optional<uint32_t> IntegerOf(Octets value) {
  if (value.size() != sizeof(uint32_t)) {
    return std::nullopt;
  }
  return wire::LoadBe32(value.data());
}

std::string_view TextOf(Octets value) {
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

std::optional<TaggedInteger> TaggedIntegerOf(Octets value) {
  if (value.size() != sizeof(uint32_t)) {
    return std::nullopt;
  }
  constexpr uint32_t kValueMask = 0xffffff;
  // RFC 2868 s3.1: a first octet that can be no tag is ignored.
  return TaggedInteger{.tag = value[0] <= kMaxTag ? value[0] : uint8_t{0},
                       .value = wire::LoadBe32(value.data()) & kValueMask};
}

TaggedText TaggedTextOf(Octets value) {
  if (value.empty() || value[0] > kMaxTag) {
    return {.tag = 0, .value = TextOf(value)};
  }
  return {.tag = value[0], .value = TextOf(value.subspan(1))};
}

std::optional<Ipv6PrefixValue> Ipv6PrefixOf(Octets value) {
  constexpr size_t kFrontLen = 2;  // reserved, prefix length
  if (value.size() < kFrontLen || value.size() > kFrontLen + 16 || value[1] > kMaxIpv6PrefixLen ||
      (value.size() - kFrontLen) * 8 < value[1]) {
    return std::nullopt;
  }
  Ipv6PrefixValue prefix;
  prefix.length = value[1];
  std::copy(value.begin() + kFrontLen, value.end(), prefix.address.begin());
  for (size_t bit = prefix.length; bit < kMaxIpv6PrefixLen; ++bit) {
    if ((prefix.address[bit / 8] & 0x80 >> bit % 8) != 0) {
      return std::nullopt;
    }
  }
  return prefix;
}

}  // namespace culvert::radius
