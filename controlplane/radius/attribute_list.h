// AttributeList is what a packet carries after its header, in the form of the wire: it may be
// kept in a file and sent later. It refuses what does not fit, and never cuts anything off.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "controlplane/radius/packet.h"

namespace culvert::radius {

class AttributeList {
 public:
  // The Add functions append one attribute of `id`. Once something was refused, the list is
  // unusable: error() stays, and packets are not built from it.
  void Add(AttributeId id, Octets value);  // 1 to 253 octets, a vendor's 1 to 247
  void AddText(AttributeId id, std::string_view text);
  void AddInteger(AttributeId id, uint32_t value);  // also IPv4 addresses and times
  // AddLong splits a value of any length over as many attributes as it takes (EAP-Message).
  void AddLong(AttributeId id, Octets value);
  // AddTaggedInteger, AddTaggedText (RFC 2868): `tag` 0 to 31; an integer has 24 bits.
  void AddTaggedInteger(AttributeId id, uint8_t tag, uint32_t value);
  void AddTaggedText(AttributeId id, uint8_t tag, std::string_view text);
  // AddIpv6Prefix writes only the octets that `length` (0 to 128 bits) covers (RFC 3162 s2.3).
  void AddIpv6Prefix(AttributeId id, std::span<const uint8_t, 16> address, uint8_t length);
  // Append takes over another list.
  void Append(const AttributeList& other);
  // Fail makes the list unusable; for what a caller could not put into an attribute.
  void Fail(PacketError error);

  // FromOctets takes what octets() gave, from a file for instance; checks the lengths.
  static tl::expected<AttributeList, PacketError> FromOctets(Octets octets);

  [[nodiscard]] Octets octets() const { return octets_; }
  [[nodiscard]] std::optional<PacketError> error() const { return error_; }

 private:
  std::vector<uint8_t> octets_;
  std::optional<PacketError> error_;
};

}  // namespace culvert::radius
