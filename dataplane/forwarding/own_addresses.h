// OwnAddresses: the address of this machine on each of its interfaces, for packets that the workers
// make themselves (RFC 1812 s4.3.2.4, RFC 4443 s2.2). The kernel chooses, netlink tells.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace culvert::dataplane {

using Ipv6Address = std::array<uint8_t, 16>;  // network order

class OwnAddresses {
 public:
  // The interface of the clients' networks, where others are port indices.
  static constexpr uint16_t kClients = UINT16_MAX;

  explicit OwnAddresses(size_t num_ports) : interfaces_(num_ports + 1) {}

  // Ipv4 gives the first primary address of an interface, host order; 0: none. Any thread.
  [[nodiscard]] uint32_t Ipv4(uint16_t interface) const {
    return At(interface).ipv4.load(std::memory_order_relaxed);
  }
  // Ipv6 gives the first global address of an interface; zeros: none, or it is just changing.
  // Any thread.
  [[nodiscard]] Ipv6Address Ipv6(uint16_t interface) const;

  // Control side, one thread. Interfaces that do not exist are ignored.
  void SetIpv4(uint16_t interface, uint32_t address);
  void SetIpv6(uint16_t interface, const Ipv6Address& address);

 private:
  struct Interface {
    std::atomic<uint32_t> ipv4{0};
    std::atomic<uint32_t> version{0};  // of ipv6; odd while it changes
    std::atomic<uint64_t> ipv6[2]{};   // as it lies in memory
  };
  [[nodiscard]] size_t Index(uint16_t interface) const {
    return interface == kClients ? interfaces_.size() - 1 : interface;
  }
  // An unknown port is taken for the clients' interface: workers ask for known ones only.
  [[nodiscard]] const Interface& At(uint16_t interface) const {
    const size_t index = Index(interface);
    return interfaces_[index < interfaces_.size() ? index : interfaces_.size() - 1];
  }

  std::vector<Interface> interfaces_;  // ports, then the clients' interface
};

}  // namespace culvert::dataplane
