// Process: all of culvert-dataplane, from a configuration to a running gateway and to its end; or a
// client's data plane inside of another program.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "culvert/config/v1/config.pb.h"
#include "dataplane/datapath.h"
#include "dataplane/eal/eal.h"
#include "dataplane/netlink/mirror.h"
#include "dataplane/port/port.h"
#include "dataplane/service/frame_pump.h"
#include "dataplane/service/server.h"
#include "dataplane/service/service.h"
#include "dataplane/tap/slow_path.h"
#include "dataplane/tap/tun_device.h"

namespace culvert::dataplane {

// One in a process, on the main thread.
class Process {
 public:
  // Start brings everything up, in the order of the members below. A failure is one line that
  // names the thing and the remedy, and leaves nothing behind.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const config::v1::Config& config,
                                                        const std::string& version);
  // StartClient brings up ports and workers in the client's role: no TUN and no service, but
  // datapath() and mbufs().
  static absl::StatusOr<std::unique_ptr<Process>> StartClient(const config::v1::Config& config);
  // Takes everything down in reverse order; bounded by about a second.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] Datapath* datapath() const { return datapath_.get(); }
  [[nodiscard]] rte_mempool* mbufs() const { return eal_->mbufs(); }
  // tap is a port's interface in the kernel.
  [[nodiscard]] const TunDevice& tap(size_t port) const { return *taps_[port]; }

  // Tick passes the ports' link state on to the TAPs; call it a few times a second.
  void Tick();

 private:
  Process() = default;
  absl::Status StartPackets(const config::v1::Config& config, DatapathRole role);
  absl::Status StartPorts(const config::v1::Dataplane& config);
  absl::Status OpenPorts(const config::v1::Dataplane& config, const std::vector<Device>& devices);
  absl::Status MakeTaps();
  absl::Status MakeClients(const config::v1::Config& config);
  absl::Status StartDatapath(const config::v1::Dataplane& config, DatapathRole role);
  absl::Status StartKernelSide(const config::v1::Dataplane& config);
  absl::Status StartService(const config::v1::Dataplane& config, const std::string& version);
  void AddCounters(v1::CountersResponse* response) const;

  std::unique_ptr<Eal> eal_;
  std::vector<std::unique_ptr<Port>> ports_;      // in the configuration's order
  std::vector<std::unique_ptr<TunDevice>> taps_;  // one a port
  std::unique_ptr<TunDevice> clients_;            // the TUN; a gateway's
  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<SlowPath> slow_path_;
  std::unique_ptr<Mirror> mirror_;
  std::unique_ptr<FramePump> pump_;
  std::unique_ptr<EventPump> events_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Server> server_;
};

}  // namespace culvert::dataplane
