#include "dataplane/process.h"

#include <rte_mempool.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>

#include "dataplane/eal/arguments.h"
#include "dataplane/eal/log.h"
#include "dataplane/netlink/interface_setup.h"
#include "dataplane/port/kernel_interface.h"

namespace culvert::dataplane {
namespace {

void ConvertPort(const PortTotals& totals, v1::PortCounters* counters) {
  counters->set_link_up(totals.link_up);
  counters->set_rx_packets(totals.rx_packets);
  counters->set_rx_octets(totals.rx_octets);
  counters->set_rx_missed(totals.rx_missed);
  counters->set_rx_no_buffer(totals.rx_no_buffer);
  counters->set_rx_errors(totals.rx_errors);
  counters->set_tx_packets(totals.tx_packets);
  counters->set_tx_octets(totals.tx_octets);
  counters->set_tx_errors(totals.tx_errors);
  for (const PortQueueTotals& queue : totals.queues) {
    v1::PortQueueCounters* of_queue = counters->add_queues();
    of_queue->set_rx_packets(queue.rx_packets);
    of_queue->set_rx_octets(queue.rx_octets);
    of_queue->set_rx_dropped(queue.rx_dropped);
    of_queue->set_tx_packets(queue.tx_packets);
    of_queue->set_tx_octets(queue.tx_octets);
  }
}

// What the workers count; a sub-port has no device that would.
void ConvertTraffic(const PortTraffic& traffic, bool is_vlan, v1::PortCounters* counters) {
  counters->set_tx_dropped(traffic.transmit_full);
  counters->set_tx_down(traffic.down);
  if (!is_vlan) return;
  counters->set_rx_packets(traffic.rx_packets);
  counters->set_rx_octets(traffic.rx_octets);
  counters->set_tx_packets(traffic.tx_packets);
  counters->set_tx_octets(traffic.tx_octets);
}

void ConvertTap(const SlowPathTotals& tap, uint64_t full, v1::PortCounters* counters) {
  counters->set_to_kernel(tap.to_kernel);
  counters->set_from_kernel(tap.from_kernel);
  counters->set_to_kernel_dropped(tap.to_kernel_dropped + full);
  counters->set_from_kernel_dropped(tap.from_kernel_dropped);
  counters->set_tap_dropped(tap.to_kernel_dropped + full + tap.from_kernel_dropped);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const config::v1::Config& config,
                                                        const std::string& version) {
  std::unique_ptr<Process> process(new Process);
  absl::Status status = process->StartPackets(config, DatapathRole::kGateway);
  if (status.ok()) status = process->StartService(config.dataplane(), version);
  if (!status.ok()) return status;
  EndQuietStart();
  return process;
}

absl::StatusOr<std::unique_ptr<Process>> Process::StartClient(const config::v1::Config& config) {
  std::unique_ptr<Process> process(new Process);
  const absl::Status status = process->StartPackets(config, DatapathRole::kClient);
  if (!status.ok()) return status;
  EndQuietStart();
  return process;
}

absl::Status Process::StartPackets(const config::v1::Config& config, DatapathRole role) {
  const config::v1::Dataplane& dataplane = config.dataplane();
  absl::Status status = CheckPermission();
  if (status.ok()) status = CheckCores(dataplane);
  if (status.ok()) status = StartPorts(dataplane);
  if (status.ok()) status = MakeTaps();
  if (status.ok() && role == DatapathRole::kGateway) status = MakeClients(config);
  if (status.ok()) status = StartDatapath(dataplane, role);
  if (status.ok()) status = StartKernelSide(dataplane);
  return status;
}

absl::Status Process::StartPorts(const config::v1::Dataplane& config) {
  const absl::StatusOr<std::vector<Device>> devices = Devices(config);
  if (!devices.ok()) return devices.status();
  const std::vector<int> device_ports = DevicePorts(config);
  for (size_t i = 0; i < devices->size(); ++i) {
    const std::string interface = (*devices)[i].KernelInterface();
    if (interface.empty()) continue;
    const absl::Status status =
        KernelInterface::Check(config.ports(device_ports[i]).name(), interface);
    if (!status.ok()) return status;
  }
  absl::StatusOr<std::unique_ptr<Eal>> eal = Eal::Start(config, *devices);
  if (!eal.ok()) return eal.status();
  eal_ = *std::move(eal);
  return OpenPorts(config, *devices);
}

absl::Status Process::OpenPorts(const config::v1::Dataplane& config,
                                const std::vector<Device>& devices) {
  const auto num_workers = static_cast<unsigned>(config.worker_cores_size());
  ports_.resize(static_cast<size_t>(config.ports_size()));
  const std::vector<int> device_ports = DevicePorts(config);
  for (size_t i = 0; i < devices.size(); ++i) {
    const config::v1::Port& wanted = config.ports(device_ports[i]);
    const bool has_vlans =
        std::any_of(config.ports().begin(), config.ports().end(),
                    [&](const config::v1::Port& port) { return port.parent() == wanted.name(); });
    auto port = Port::Open(wanted, devices[i], num_workers, eal_->mbufs(), has_vlans);
    if (!port.ok()) return port.status();
    ports_[static_cast<size_t>(device_ports[i])] = *std::move(port);
  }
  for (int i = 0; i < config.ports_size(); ++i) {
    const auto parent = std::find_if(ports_.begin(), ports_.end(), [&](const auto& port) {
      return port && port->name() == config.ports(i).parent();
    });
    if (parent == ports_.end()) continue;
    ports_[static_cast<size_t>(i)] = Port::OpenVlan(config.ports(i), **parent);
  }
  return absl::OkStatus();
}

absl::Status Process::MakeTaps() {
  for (const auto& port : ports_) {
    auto tap = TunDevice::Create({.name = port->name(), .mac = port->mac(), .mtu = port->mtu()});
    if (!tap.ok()) return tap.status();
    taps_.push_back(*std::move(tap));
  }
  return absl::OkStatus();
}

absl::Status Process::MakeClients(const config::v1::Config& config) {
  // The kernel's own packets to clients then fit what a call can carry.
  TunSpec clients{.name = config.dataplane().clients().interface(), .mac = {}, .mtu = 1500};
  if (config.ppp().mtu() != 0) clients.mtu = static_cast<uint16_t>(config.ppp().mtu());
  auto tun = TunDevice::Create(clients);
  if (!tun.ok()) return tun.status();
  clients_ = *std::move(tun);
  return absl::OkStatus();
}

absl::Status Process::StartDatapath(const config::v1::Dataplane& config, DatapathRole role) {
  DatapathSpec spec;
  spec.role = role;
  for (size_t i = 0; i < ports_.size(); ++i) {
    spec.ports.push_back({.name = ports_[i]->name(),
                          .dpdk_port = ports_[i]->dpdk_port(),
                          .mac = ports_[i]->mac(),
                          .mtu = ports_[i]->mtu(),
                          .interface_index = taps_[i]->index(),
                          .vlan = ports_[i]->vlan(),
                          .rx_checksum = ports_[i]->rx_checksum(),
                          .tx_checksum = ports_[i]->tx_checksum()});
  }
  for (int i = 0; i < config.worker_cores_size(); ++i) {
    spec.worker_lcores.push_back(WorkerLcore(static_cast<unsigned>(i)));
  }
  spec.idle = config.idle() == "sleep" ? IdleMode::kSleep : IdleMode::kPoll;
  spec.max_local_addresses = config.max_local_addresses();
  spec.punt_rate = config.punt_rate();
  spec.reassembly = {.max_packets = std::bit_ceil(config.reassembly_fragments()),
                     .timeout_ms = config.reassembly_timeout_ms()};
  spec.icmp_errors = {.per_second = config.icmp_errors_per_second(),
                      .per_call_per_second = config.icmp_errors_per_call()};
  spec.neighbour_wait_ms = config.neighbour_wait_ms();
  if (clients_) spec.clients_interface_index = clients_->index();
  spec.mbufs = eal_->mbufs();
  absl::StatusOr<std::unique_ptr<Datapath>> datapath = Datapath::Create(spec);
  if (!datapath.ok()) return datapath.status();
  datapath_ = *std::move(datapath);
  return datapath_->Start();
}

absl::Status Process::StartKernelSide(const config::v1::Dataplane& config) {
  std::vector<TunDevice*> taps;
  OwnInterfaces own;
  for (size_t i = 0; i < taps_.size(); ++i) {
    taps.push_back(taps_[i].get());
    own.ports[taps_[i]->index()] = static_cast<uint16_t>(i);
  }
  if (clients_) own.clients = clients_->index();
  slow_path_ = std::make_unique<SlowPath>(datapath_.get(), eal_->mbufs(), taps, clients_.get());
  slow_path_->Start();

  const auto strings = [](const auto& field) {
    return std::vector<std::string>(field.begin(), field.end());
  };
  absl::Status status;
  for (int i = 0; i < config.ports_size() && status.ok(); ++i) {
    const TunDevice& tap = *taps_[static_cast<size_t>(i)];
    status = AddAddresses(tap.name(), tap.index(), strings(config.ports(i).addresses()));
  }
  if (status.ok() && clients_) {
    status =
        AddAddresses(clients_->name(), clients_->index(), strings(config.clients().addresses()));
  }
  if (status.ok() && clients_) {
    status = AddRoutes(clients_->name(), clients_->index(), strings(config.clients().routes()));
  }
  if (!status.ok()) return status;
  mirror_ = std::make_unique<Mirror>(datapath_.get(), own);
  return mirror_->Start();
}

absl::Status Process::StartService(const config::v1::Dataplane& config,
                                   const std::string& version) {
  pump_ = std::make_unique<FramePump>(datapath_.get());
  events_ = std::make_unique<EventPump>(datapath_.get());
  ServiceSpec spec;
  spec.version = version;
  spec.workers = static_cast<uint32_t>(config.worker_cores_size());
  spec.max_local_addresses = config.max_local_addresses();
  for (const auto& port : ports_) spec.ports.push_back(port->name());
  spec.add_process_counters = [this](v1::CountersResponse* response) { AddCounters(response); };
  service_ =
      std::make_unique<Service>(datapath_.get(), pump_.get(), events_.get(), std::move(spec));
  auto server = Server::Listen(config.socket(), service_.get());
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  pump_->Start();
  events_->Start();
  return absl::OkStatus();
}

void Process::AddCounters(v1::CountersResponse* response) const {
  const std::vector<PortTraffic> traffic = datapath_->PortCounters();
  for (size_t i = 0; i < ports_.size(); ++i) {
    v1::PortCounters* counters = response->add_ports();
    counters->set_name(ports_[i]->name());
    ConvertPort(ports_[i]->Totals(), counters);
    ConvertTraffic(traffic[i], ports_[i]->vlan() != 0, counters);
    ConvertTap(slow_path_->Totals(i), traffic[i].tap_full, counters);
  }
  response->set_mbufs_in_use(rte_mempool_in_use_count(eal_->mbufs()));
  response->set_mbufs_total(eal_->mbufs()->size);
}

void Process::Tick() {
  for (size_t i = 0; i < ports_.size(); ++i) {
    const bool up = ports_[i]->LinkUp();
    datapath_->SetPortUp(static_cast<uint16_t>(i), up);
    taps_[i]->SetCarrier(up);
  }
}

Process::~Process() {
  if (service_) service_->Stop();
  server_.reset();
  service_.reset();
  pump_.reset();
  events_.reset();
  mirror_.reset();
  slow_path_.reset();
  if (datapath_) datapath_->Stop();
  datapath_.reset();
  clients_.reset();
  taps_.clear();
  ports_.clear();
  eal_.reset();
}

}  // namespace culvert::dataplane
