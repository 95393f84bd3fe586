// Device: a port's `device` as the configuration writes it, taken apart: a PCI address, or a
// DPDK virtual device with its arguments.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace culvert::dataplane {

struct Device {
  enum class Kind : uint8_t { kPci, kVirtual };

  Kind kind = Kind::kVirtual;
  // PCI: the full address (0000:01:00.0). Virtual: the device's name, "net_af_packet0".
  std::string name;
  // In the order written; a flag without "=" has an empty value.
  std::vector<std::pair<std::string, std::string>> arguments;

  // Argument gives the value of `key`, or an empty string.
  [[nodiscard]] std::string Argument(const std::string& key) const;
  // SetDefault adds an argument unless the configuration has set it.
  void SetDefault(const std::string& key, const std::string& value);
  // Driver is the name without its number: "net_af_packet"; empty for PCI.
  [[nodiscard]] std::string Driver() const;
  // KernelInterface is the kernel's interface that the device sits on (iface= of net_af_packet
  // and net_af_xdp), or an empty string.
  [[nodiscard]] std::string KernelInterface() const;
  // Text is the form that EAL takes.
  [[nodiscard]] std::string Text() const;
};

// ParseDevice takes "0000:01:00.0[,arg…]", "01:00.0", or "net_xxx0[,key=value…]".
// InvalidArgument names what is wrong.
absl::StatusOr<Device> ParseDevice(const std::string& text);

// FitDevice adds what a device needs for `num_workers` queues and frames of `mtu` octets, where
// the driver takes it as arguments and the configuration leaves it open.
void FitDevice(unsigned num_workers, uint16_t mtu, Device* device);

}  // namespace culvert::dataplane
