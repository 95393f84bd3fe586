// Port: one DPDK Ethernet device, opened by the configuration, one queue pair a worker.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "culvert/config/v1/config.pb.h"
#include "dataplane/datapath.h"
#include "dataplane/eal/device.h"
#include "dataplane/port/kernel_interface.h"
#include "dataplane/port/offloads.h"

namespace culvert::dataplane {

struct PortQueueTotals {
  uint64_t rx_packets = 0, rx_octets = 0, rx_dropped = 0;
  uint64_t tx_packets = 0, tx_octets = 0;
};

// What the device counts, since the port was opened: frames, tagged ones too.
struct PortTotals {
  bool link_up = false;
  uint64_t rx_packets = 0, rx_octets = 0;
  uint64_t rx_missed = 0;     // receive queue full: the worker did not keep up
  uint64_t rx_no_buffer = 0;  // mbuf pool empty
  uint64_t rx_errors = 0;     // bad frames
  uint64_t tx_packets = 0, tx_octets = 0, tx_errors = 0;
  std::vector<PortQueueTotals> queues;  // empty: the device does not tell them apart
};

// A port with a DPDK device of its own, or a sub-port: a VLAN on the device of another one.
// Made and ended by the main thread; Totals and LinkUp from any thread.
class Port {
 public:
  // Open configures and starts the device. Errors name the port and the remedy. `mbufs` must
  // outlive the port.
  static absl::StatusOr<std::unique_ptr<Port>> Open(const config::v1::Port& config,
                                                    const Device& device, unsigned num_workers,
                                                    rte_mempool* mbufs, bool has_vlans);
  // OpenVlan makes the sub-port of `parent`, which must outlive it.
  static std::unique_ptr<Port> OpenVlan(const config::v1::Port& config, const Port& parent);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] uint16_t dpdk_port() const { return dpdk_port_; }
  [[nodiscard]] const MacAddress& mac() const { return mac_; }
  [[nodiscard]] uint16_t mtu() const { return mtu_; }
  // vlan is 0 for a port with its own device.
  [[nodiscard]] uint16_t vlan() const { return vlan_; }
  [[nodiscard]] bool rx_checksum() const { return offloads_.rx_checksum; }
  [[nodiscard]] bool tx_checksum() const { return offloads_.tx_checksum; }

  // Totals of the device; a sub-port has none but the link.
  [[nodiscard]] PortTotals Totals() const;
  [[nodiscard]] bool LinkUp() const;

 private:
  Port(std::string name, Device device, uint16_t mtu)
      : name_(std::move(name)), device_(std::move(device)), mtu_(mtu) {}
  absl::Status Find();
  absl::Status Configure(OffloadWishes wishes, rte_mempool* mbufs);
  absl::Status SetUpQueues(unsigned num_queues, rte_mempool* mbufs);
  absl::Status StartDevice();
  void SpreadOverQueues() const;
  absl::Status SetMac(const std::string& configured);
  [[nodiscard]] absl::Status Error(const std::string& what, int error) const;

  std::string name_;
  Device device_;
  uint16_t mtu_;
  uint16_t dpdk_port_ = 0;
  uint16_t vlan_ = 0;
  const Port* parent_ = nullptr;  // of a sub-port
  bool configured_ = false;
  unsigned num_queues_ = 0;
  Offloads offloads_;
  MacAddress mac_{};
  std::unique_ptr<KernelInterface> kernel_interface_;  // null: the kernel has none below
};

}  // namespace culvert::dataplane
