// DynamicService: CoA and Disconnect on UDP sockets, with a thread of its own.
#pragma once

#include <absl/status/statusor.h>
#include <prometheus/collectable.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/management/call_change.h"
#include "controlplane/radius/dynamic/dynamic_server.h"
#include "controlplane/radius/dynamic/order_runner.h"

namespace culvert::radius {

struct DynamicServiceSettings {
  std::vector<std::string> listen;  // IPv4 or IPv6, as text; answers go out from the same
  uint16_t port = 0;
  DynamicSettings protocol;
};

class DynamicService {
 public:
  // Start listens. `directory` outlives the service; the functions are for any thread. Errors name
  // the address.
  static absl::StatusOr<std::unique_ptr<DynamicService>> Start(DynamicServiceSettings settings,
                                                               const CallDirectory* directory,
                                                               ChangeCall change,
                                                               OrderRunner::Terminate terminate);
  ~DynamicService();  // stops

  // Stop ends the thread; what is under way is not answered.
  void Stop();

  // metrics: registered with the exporter as they are.
  [[nodiscard]] std::shared_ptr<prometheus::Collectable> metrics() const;

 private:
  class Impl;
  explicit DynamicService(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<Impl> impl_;
};

}  // namespace culvert::radius
