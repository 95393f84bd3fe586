// KernelInterface: the interface below a net_af_packet or net_af_xdp port. The kernel owns it and
// goes on listening on it; it must be kept from answering in the port's place.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>

namespace culvert::dataplane {

class KernelInterface {
 public:
  // Check finds out whether the interface exists; NotFound with the remedy when not.
  static absl::Status Check(const std::string& port_name, const std::string& interface);

  // Prepare makes it a bare wire: up, promiscuous, no ARP, no IPv6, no offload that hands over
  // frames which are not frames on a wire (checksums not filled in, segments not cut or merged).
  // Its MTU becomes `mtu`. Warns when it has IPv4 addresses, because the kernel then answers for
  // them too.
  static absl::StatusOr<std::unique_ptr<KernelInterface>> Prepare(const std::string& port_name,
                                                                  const std::string& interface,
                                                                  uint16_t mtu);
  // HasCarrier: it is there, up, and its link too. Any thread.
  [[nodiscard]] bool HasCarrier() const;

  // Gives flags, MTU and IPv6 back as they were, unless the interface is gone.
  ~KernelInterface();
  KernelInterface(const KernelInterface&) = delete;
  KernelInterface& operator=(const KernelInterface&) = delete;

 private:
  KernelInterface(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
  absl::Status SetFlags(short set, short clear);
  absl::Status SetMtu(int mtu);
  void TurnOffOffloads() const;
  void TurnOffIpv6();
  void WarnOfAddresses(const std::string& port_name) const;

  std::string name_;
  int fd_;  // a socket for ioctl
  short old_flags_ = 0;
  int old_mtu_ = 0;  // 0: not changed
  bool ipv6_was_on_ = false;
};

}  // namespace culvert::dataplane
