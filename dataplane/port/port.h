// Port: one DPDK Ethernet device, opened by the configuration, one queue pair a worker.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "culvert/config/v1/config.pb.h"
#include "dataplane/datapath.h"
#include "dataplane/eal/device.h"
#include "dataplane/port/kernel_interface.h"

struct rte_eth_dev_info;

namespace culvert::dataplane {

// Totals since the port was opened.
struct PortTotals {
  bool link_up = false;
  uint64_t rx_packets = 0, rx_octets = 0, rx_missed = 0;
  uint64_t tx_packets = 0, tx_octets = 0, tx_dropped = 0;
};

// Made and ended by the main thread; Totals and LinkUp from any thread.
class Port {
 public:
  // Open configures and starts the device. Errors name the port and the remedy. `mbufs` must
  // outlive the port.
  static absl::StatusOr<std::unique_ptr<Port>> Open(const config::v1::Port& config,
                                                    const Device& device, unsigned num_workers,
                                                    rte_mempool* mbufs);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] uint16_t dpdk_port() const { return dpdk_port_; }
  [[nodiscard]] const MacAddress& mac() const { return mac_; }
  [[nodiscard]] uint16_t mtu() const { return mtu_; }

  [[nodiscard]] PortTotals Totals() const;
  [[nodiscard]] bool LinkUp() const;

 private:
  Port(std::string name, Device device, uint16_t mtu)
      : name_(std::move(name)), device_(std::move(device)), mtu_(mtu) {}
  absl::Status Find();
  absl::Status Configure(unsigned num_queues, rte_mempool* mbufs);
  absl::Status SetUpQueues(unsigned num_queues, rte_mempool* mbufs);
  absl::Status StartDevice();
  absl::Status SetMac(const std::string& configured);
  [[nodiscard]] absl::Status Error(const std::string& what, int error) const;

  std::string name_;
  Device device_;
  uint16_t mtu_;
  uint16_t dpdk_port_ = 0;
  bool configured_ = false;
  MacAddress mac_{};
  std::unique_ptr<KernelInterface> kernel_interface_;  // null: the kernel has none below
};

}  // namespace culvert::dataplane
