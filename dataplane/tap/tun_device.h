// TunDevice: a TAP or TUN interface of this process. It vanishes with the process.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dataplane/datapath.h"

namespace culvert::dataplane {

struct TunSpec {
  std::string name;
  std::optional<MacAddress> mac;  // set: a TAP (Ethernet frames); else a TUN (IP packets)
  uint16_t mtu = 1500;
};

class TunDevice {
 public:
  // Create makes the interface and sets it up. AlreadyExists when the name is taken; errors name
  // the interface and the remedy.
  static absl::StatusOr<std::unique_ptr<TunDevice>> Create(const TunSpec& spec);
  ~TunDevice();
  TunDevice(const TunDevice&) = delete;
  TunDevice& operator=(const TunDevice&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // fd does not block; one frame or packet a read or write. Owned by this object.
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] uint32_t index() const { return index_; }

  // SetCarrier tells the kernel whether there is a link. One thread.
  void SetCarrier(bool up);

 private:
  TunDevice(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
  absl::Status Attach(bool tap);
  absl::Status Configure(const TunSpec& spec);

  std::string name_;
  int fd_;
  uint32_t index_ = 0;
  bool carrier_ = true;
};

}  // namespace culvert::dataplane
