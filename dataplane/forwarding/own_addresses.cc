#include "dataplane/forwarding/own_addresses.h"

#include <cstring>

namespace culvert::dataplane {

Ipv6Address OwnAddresses::Ipv6(uint16_t interface) const {
  const Interface& from = At(interface);
  const uint32_t version = from.version.load(std::memory_order_acquire);
  const uint64_t halves[] = {from.ipv6[0].load(std::memory_order_relaxed),
                             from.ipv6[1].load(std::memory_order_relaxed)};
  std::atomic_thread_fence(std::memory_order_acquire);
  Ipv6Address address{};
  if (version % 2 == 0 && from.version.load(std::memory_order_relaxed) == version) {
    std::memcpy(address.data(), halves, sizeof(halves));
  }
  return address;
}

void OwnAddresses::SetIpv4(uint16_t interface, uint32_t address) {
  if (Index(interface) < interfaces_.size()) {
    interfaces_[Index(interface)].ipv4.store(address, std::memory_order_relaxed);
  }
}

void OwnAddresses::SetIpv6(uint16_t interface, const Ipv6Address& address) {
  if (Index(interface) >= interfaces_.size()) {
    return;
  }
  Interface& to = interfaces_[Index(interface)];
  uint64_t halves[2];
  std::memcpy(halves, address.data(), sizeof(halves));
  const uint32_t version = to.version.load(std::memory_order_relaxed);
  to.version.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  to.ipv6[0].store(halves[0], std::memory_order_relaxed);
  to.ipv6[1].store(halves[1], std::memory_order_relaxed);
  to.version.store(version + 2, std::memory_order_release);
}

}  // namespace culvert::dataplane
