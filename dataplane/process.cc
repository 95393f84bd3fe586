#include "dataplane/process.h"

#include <rte_mempool.h>
#include <spdlog/spdlog.h>

#include "dataplane/eal/arguments.h"
#include "dataplane/eal/log.h"
#include "dataplane/netlink/interface_setup.h"
#include "dataplane/port/kernel_interface.h"

namespace culvert::dataplane {

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const config::v1::Config& config,
                                                        const std::string& version) {
  const config::v1::Dataplane& dataplane = config.dataplane();
  std::unique_ptr<Process> process(new Process);
  absl::Status status = CheckPermission();
  if (status.ok()) status = CheckCores(dataplane);
  if (status.ok()) status = process->StartPorts(dataplane);
  if (status.ok()) status = process->MakeTaps(config);
  if (status.ok()) status = process->StartDatapath(dataplane);
  if (status.ok()) status = process->StartKernelSide(dataplane);
  if (status.ok()) status = process->StartService(dataplane, version);
  if (!status.ok()) return status;
  EndQuietStart();
  return process;
}

absl::Status Process::StartPorts(const config::v1::Dataplane& config) {
  const absl::StatusOr<std::vector<Device>> devices = Devices(config);
  if (!devices.ok()) return devices.status();
  for (int i = 0; i < config.ports_size(); ++i) {
    const std::string interface = (*devices)[static_cast<size_t>(i)].KernelInterface();
    if (interface.empty()) continue;
    const absl::Status status = KernelInterface::Check(config.ports(i).name(), interface);
    if (!status.ok()) return status;
  }
  absl::StatusOr<std::unique_ptr<Eal>> eal = Eal::Start(config, *devices);
  if (!eal.ok()) return eal.status();
  eal_ = *std::move(eal);
  const auto num_workers = static_cast<unsigned>(config.worker_cores_size());
  for (int i = 0; i < config.ports_size(); ++i) {
    auto port =
        Port::Open(config.ports(i), (*devices)[static_cast<size_t>(i)], num_workers, eal_->mbufs());
    if (!port.ok()) return port.status();
    ports_.push_back(*std::move(port));
  }
  return absl::OkStatus();
}

absl::Status Process::MakeTaps(const config::v1::Config& config) {
  for (const auto& port : ports_) {
    auto tap = TunDevice::Create({.name = port->name(), .mac = port->mac(), .mtu = port->mtu()});
    if (!tap.ok()) return tap.status();
    taps_.push_back(*std::move(tap));
  }
  // The kernel's own packets to clients then fit what a call can carry.
  TunSpec clients{.name = config.dataplane().clients().interface(), .mac = {}, .mtu = 1500};
  if (config.ppp().mtu() != 0) clients.mtu = static_cast<uint16_t>(config.ppp().mtu());
  auto tun = TunDevice::Create(clients);
  if (!tun.ok()) return tun.status();
  clients_ = *std::move(tun);
  return absl::OkStatus();
}

absl::Status Process::StartDatapath(const config::v1::Dataplane& config) {
  DatapathSpec spec;
  for (size_t i = 0; i < ports_.size(); ++i) {
    spec.ports.push_back({.name = ports_[i]->name(),
                          .dpdk_port = ports_[i]->dpdk_port(),
                          .mac = ports_[i]->mac(),
                          .mtu = ports_[i]->mtu(),
                          .interface_index = taps_[i]->index()});
  }
  for (int i = 0; i < config.worker_cores_size(); ++i) {
    spec.worker_lcores.push_back(WorkerLcore(static_cast<unsigned>(i)));
  }
  spec.idle = config.idle() == "sleep" ? IdleMode::kSleep : IdleMode::kPoll;
  spec.max_local_addresses = config.max_local_addresses();
  spec.punt_rate = config.punt_rate();
  spec.clients_interface_index = clients_->index();
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
  own.clients = clients_->index();
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
  if (status.ok()) {
    status =
        AddAddresses(clients_->name(), clients_->index(), strings(config.clients().addresses()));
  }
  if (status.ok()) {
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
  for (size_t i = 0; i < ports_.size(); ++i) {
    const PortTotals totals = ports_[i]->Totals();
    const SlowPathTotals tap = slow_path_->Totals(i);
    v1::PortCounters* counters = response->add_ports();
    counters->set_name(ports_[i]->name());
    counters->set_link_up(totals.link_up);
    counters->set_rx_packets(totals.rx_packets);
    counters->set_rx_octets(totals.rx_octets);
    counters->set_rx_missed(totals.rx_missed);
    counters->set_tx_packets(totals.tx_packets);
    counters->set_tx_octets(totals.tx_octets);
    counters->set_tx_dropped(totals.tx_dropped);
    counters->set_tap_dropped(tap.to_kernel_dropped + tap.from_kernel_dropped);
  }
  response->set_mbufs_in_use(rte_mempool_in_use_count(eal_->mbufs()));
  response->set_mbufs_total(eal_->mbufs()->size);
}

void Process::Tick() {
  for (size_t i = 0; i < ports_.size(); ++i) taps_[i]->SetCarrier(ports_[i]->LinkUp());
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
