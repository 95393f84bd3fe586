// The RADIUS attributes that the code names; attributes.def lists them. Vendors' are those of
// Microsoft (RFC 2548), Cisco, MikroTik and WISPr: we have none of our own.
#pragma once

#include <compare>
#include <cstdint>

namespace culvert::radius {

// AttributeId: vendor 0 are the attributes of the RFCs. Type 0 of a vendor stands for all its
// octets: they are not a list of type, length and value.
struct AttributeId {
  uint32_t vendor = 0;
  uint8_t type = 0;
  constexpr auto operator<=>(const AttributeId&) const = default;
};

constexpr uint32_t kCisco = 9;
constexpr uint32_t kMicrosoft = 311;
constexpr uint32_t kWispr = 14122;
constexpr uint32_t kMikrotik = 14988;
constexpr uint8_t kVendorSpecific = 26;

namespace attr {

#define A(symbol, vendor, type, name) constexpr AttributeId symbol{vendor, type};
#include "controlplane/radius/attributes.def"
#undef A

}  // namespace attr

}  // namespace culvert::radius
