// Eal: DPDK's environment and the mbuf pool, from the configuration to their end.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "culvert/config/v1/config.pb.h"
#include "dataplane/eal/device.h"

struct rte_mempool;

namespace culvert::dataplane {

// CheckCores names a core that the machine does not have or that this process may not use.
absl::Status CheckCores(const config::v1::Dataplane& config);
// CheckPermission names the capabilities that are missing.
absl::Status CheckPermission();

// PortMtu is the configured MTU, or 1500; of a port with its own device.
uint16_t PortMtu(const config::v1::Port& port);

// DevicePorts is the index of every port that has a device of its own, and is no VLAN of another.
std::vector<int> DevicePorts(const config::v1::Dataplane& config);

// Devices parses and fits their devices, in the same order.
absl::StatusOr<std::vector<Device>> Devices(const config::v1::Dataplane& config);

// At most one Eal in a process, on the main thread, which it pins to dataplane.main_core; threads
// started after that inherit the core.
class Eal {
 public:
  // Start brings EAL up and makes the mbuf pool. Errors are one line with the remedy.
  static absl::StatusOr<std::unique_ptr<Eal>> Start(const config::v1::Dataplane& config,
                                                    const std::vector<Device>& devices);
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // mbufs is owned by EAL; valid as long as this object.
  [[nodiscard]] rte_mempool* mbufs() const { return mbufs_; }

 private:
  Eal() = default;
  absl::Status MakePool(const config::v1::Dataplane& config, const std::vector<Device>& devices);

  rte_mempool* mbufs_ = nullptr;
};

}  // namespace culvert::dataplane
