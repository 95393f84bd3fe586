#include "dataplane/port/mac.h"

#include <absl/strings/str_format.h>

#include <span>

namespace culvert::dataplane {
namespace {

// FNV-1a, 64 bits: it must stay the same from build to build, which std::hash need not.
class Fnv1a {
 public:
  void Add(std::span<const uint8_t> octets) {
    for (const uint8_t octet : octets) hash_ = (hash_ ^ octet) * 0x100000001b3;
  }
  void Add(const std::string& text) {
    Add(std::span(reinterpret_cast<const uint8_t*>(text.c_str()), text.size() + 1));
  }
  [[nodiscard]] uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace

MacAddress StableMac(const std::string& port_name, const std::string& kernel_interface,
                     const MacAddress& seed) {
  Fnv1a fnv;
  fnv.Add(port_name);
  fnv.Add(kernel_interface);
  fnv.Add(seed);
  const uint64_t hash = fnv.hash() ^ (fnv.hash() >> 48);
  MacAddress mac;
  for (size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<uint8_t>(hash >> (8 * i));
  // IEEE 802: bit 0 of the first octet is group, bit 1 locally administered.
  mac[0] = static_cast<uint8_t>((mac[0] & ~0x01U) | 0x02U);
  return mac;
}

MacAddress ChooseMac(const std::string& port_name, const std::optional<MacAddress>& configured,
                     const Device& device, const MacAddress& device_mac) {
  if (configured) return *configured;
  if (device.kind == Device::Kind::kPci) return device_mac;
  return StableMac(port_name, device.KernelInterface(), device_mac);
}

std::string FormatMac(const MacAddress& mac) {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                         mac[5]);
}

}  // namespace culvert::dataplane
