#include "dataplane/port/port.h"

#include <absl/strings/str_cat.h>
#include <rte_ethdev.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "dataplane/eal/eal.h"
#include "dataplane/eal/log.h"
#include "dataplane/port/mac.h"
#include "proto/config/address/address.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kNumDescriptors = 1024;
constexpr uint16_t kEthernetMtu = 1500;

std::string MissingPciRemedy(const std::string& address) {
  const std::filesystem::path folder = std::filesystem::path("/sys/bus/pci/devices") / address;
  if (!std::filesystem::exists(folder)) {
    return "does not exist (`lspci -D` shows what there is)";
  }
  std::error_code error;
  const auto driver = std::filesystem::read_symlink(folder / "driver", error).filename().string();
  return absl::StrCat("is bound to ", driver.empty() ? "no driver" : driver,
                      "; run `dpdk-devbind.py --bind=vfio-pci ", address, "`");
}

uint32_t DataRoom(rte_mempool* mbufs) {
  return rte_pktmbuf_data_room_size(mbufs) - RTE_PKTMBUF_HEADROOM;
}

std::string ChecksumText(const Offloads& offloads) {
  if (offloads.rx_checksum && offloads.tx_checksum) return "by the device";
  if (offloads.rx_checksum) return "of received packets by the device";
  return offloads.tx_checksum ? "of sent packets by the device" : "in software";
}

// A device that does not tell its queues apart leaves them all at zero.
std::vector<PortQueueTotals> QueueTotals(const rte_eth_stats& stats, unsigned num_queues) {
  std::vector<PortQueueTotals> queues;
  uint64_t packets = 0;
  for (unsigned i = 0; i < std::min<unsigned>(num_queues, RTE_ETHDEV_QUEUE_STAT_CNTRS); ++i) {
    queues.push_back({.rx_packets = stats.q_ipackets[i],
                      .rx_octets = stats.q_ibytes[i],
                      .rx_dropped = stats.q_errors[i],
                      .tx_packets = stats.q_opackets[i],
                      .tx_octets = stats.q_obytes[i]});
    packets += stats.q_ipackets[i] + stats.q_opackets[i];
  }
  if (packets == 0 && stats.ipackets + stats.opackets > 0) queues.clear();
  return queues;
}

}  // namespace

absl::Status Port::Error(const std::string& what, int error) const {
  std::string text = absl::StrCat("port ", name_, ": ", device_.Text(), ": ", what);
  if (error != 0) absl::StrAppend(&text, ": ", strerror(error < 0 ? -error : error));
  const std::string errors = LastDpdkErrors();
  if (!errors.empty()) absl::StrAppend(&text, " (", errors, ")");
  return absl::FailedPreconditionError(text);
}

absl::StatusOr<std::unique_ptr<Port>> Port::Open(const config::v1::Port& config,
                                                 const Device& device, unsigned num_workers,
                                                 rte_mempool* mbufs, bool has_vlans) {
  std::unique_ptr<Port> port(new Port(config.name(), device, PortMtu(config)));
  absl::Status status = port->Find();
  const OffloadWishes wishes{.allowed = config.offload() != "off",
                             .has_vlans = has_vlans,
                             .num_queues = num_workers,
                             .mtu = port->mtu_,
                             .data_room = DataRoom(mbufs)};
  if (status.ok()) status = port->Configure(wishes, mbufs);
  if (status.ok()) status = port->SetMac(config.mac());
  const std::string interface = device.KernelInterface();
  if (status.ok() && !interface.empty()) {
    auto prepared = KernelInterface::Prepare(config.name(), interface, port->mtu_);
    if (!prepared.ok()) return prepared.status();
    port->kernel_interface_ = *std::move(prepared);
  }
  if (status.ok()) status = port->StartDevice();
  if (!status.ok()) return status;
  spdlog::info("port {}: {} mac {} mtu {} queues {} checksums {} vlan tags {}", port->name_,
               device.Text(), FormatMac(port->mac_), port->mtu_, num_workers,
               ChecksumText(port->offloads_),
               port->offloads_.vlan_strip ? "by the device" : "in software");
  return port;
}

std::unique_ptr<Port> Port::OpenVlan(const config::v1::Port& config, const Port& parent) {
  const uint16_t mtu = config.has_mtu() ? PortMtu(config) : parent.mtu_;
  std::unique_ptr<Port> port(new Port(config.name(), parent.device_, mtu));
  port->dpdk_port_ = parent.dpdk_port_;
  port->vlan_ = static_cast<uint16_t>(config.vlan());
  port->parent_ = &parent;
  port->mac_ = parent.mac_;
  port->offloads_ = parent.offloads_;
  spdlog::info("port {}: VLAN {} on {}, mtu {}", port->name_, port->vlan_, parent.name_, mtu);
  return port;
}

absl::Status Port::Find() {
  if (rte_eth_dev_get_port_by_name(device_.name.c_str(), &dpdk_port_) == 0) {
    return absl::OkStatus();
  }
  return device_.kind == Device::Kind::kPci
             ? Error(MissingPciRemedy(device_.name), 0)
             : Error("DPDK has not made this device; check its name and arguments", 0);
}

absl::Status Port::Configure(OffloadWishes wishes, rte_mempool* mbufs) {
  const unsigned num_queues = wishes.num_queues;
  rte_eth_dev_info info{};
  int error = rte_eth_dev_info_get(dpdk_port_, &info);
  if (error != 0) return Error("no device information", error);
  if (info.max_rx_queues < num_queues || info.max_tx_queues < num_queues) {
    return Error(absl::StrCat("has ", info.max_rx_queues, " receive and ", info.max_tx_queues,
                              " transmit queues, ", num_queues,
                              " workers need one each; have fewer dataplane.worker_cores or a "
                              "device with more queues"),
                 0);
  }
  rte_eth_conf conf{};
  // ethdev takes no const and keeps the pointer: drivers read the key when they start.
  static std::array<uint8_t, kRssKey.size()> key = kRssKey;
  conf.rxmode.mtu = mtu_;
  // net_af_packet says 1518 whatever its slots hold; FitDevice has made them large enough.
  if (device_.Driver() == "net_af_packet") conf.rxmode.mtu = std::min(mtu_, kEthernetMtu);
  offloads_ = ChooseOffloads(info, wishes);
  conf.rxmode.offloads = offloads_.rx;
  conf.txmode.offloads = offloads_.tx;
  if (offloads_.rss_fields != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = offloads_.rss_fields;
    if (offloads_.rss_key) {
      conf.rx_adv_conf.rss_conf.rss_key = key.data();
      conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<uint8_t>(key.size());
    }
  }
  const auto queues = static_cast<uint16_t>(num_queues);
  error = rte_eth_dev_configure(dpdk_port_, queues, queues, &conf);
  if (error != 0) return Error(absl::StrCat("cannot be configured for MTU ", mtu_), error);
  configured_ = true;
  num_queues_ = num_queues;
  return SetUpQueues(num_queues, mbufs);
}

absl::Status Port::SetUpQueues(unsigned num_queues, rte_mempool* mbufs) {
  uint16_t num_rx = kNumDescriptors;
  uint16_t num_tx = kNumDescriptors;
  int error = rte_eth_dev_adjust_nb_rx_tx_desc(dpdk_port_, &num_rx, &num_tx);
  if (error != 0) return Error("descriptors", error);
  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(dpdk_port_), 0));
  for (uint16_t i = 0; i < num_queues; ++i) {
    error = rte_eth_rx_queue_setup(dpdk_port_, i, num_rx, socket, nullptr, mbufs);
    if (error != 0) return Error(absl::StrCat("receive queue ", i), error);
    error = rte_eth_tx_queue_setup(dpdk_port_, i, num_tx, socket, nullptr);
    if (error != 0) return Error(absl::StrCat("transmit queue ", i), error);
  }
  return absl::OkStatus();
}

absl::Status Port::SetMac(const std::string& configured) {
  rte_ether_addr own{};
  int error = rte_eth_macaddr_get(dpdk_port_, &own);
  if (error != 0) return Error("no MAC address", error);
  MacAddress device_mac;
  std::copy_n(own.addr_bytes, device_mac.size(), device_mac.begin());

  std::optional<MacAddress> wanted;
  if (!configured.empty()) {
    wanted = config::ParseMac(configured);
    if (!wanted) return Error(absl::StrCat("mac \"", configured, "\" is not a MAC address"), 0);
  }
  mac_ = ChooseMac(name_, wanted, device_, device_mac);
  if (device_.kind == Device::Kind::kVirtual || mac_ == device_mac) return absl::OkStatus();
  std::copy_n(mac_.begin(), mac_.size(), own.addr_bytes);
  error = rte_eth_dev_default_mac_addr_set(dpdk_port_, &own);
  if (error != 0) return Error(absl::StrCat("does not take the MAC ", FormatMac(mac_)), error);
  return absl::OkStatus();
}

absl::Status Port::StartDevice() {
  int error = 0;
  // The interface below, if any, has its MTU already.
  if (!kernel_interface_) error = rte_eth_dev_set_mtu(dpdk_port_, mtu_);
  if (error != 0 && error != -ENOTSUP) return Error(absl::StrCat("MTU ", mtu_), error);
  error = rte_eth_dev_start(dpdk_port_);
  if (error != 0) return Error("does not start", error);
  SpreadOverQueues();
  // A virtual device has no filter for a MAC that is not its interface's.
  if (device_.kind == Device::Kind::kVirtual) {
    error = rte_eth_promiscuous_enable(dpdk_port_);
    if (error != 0 && error != -ENOTSUP) return Error("promiscuous mode", error);
  }
  // The kernel's routing daemons live on multicast; a device without the switch takes it anyway.
  (void)rte_eth_allmulticast_enable(dpdk_port_);
  (void)LastDpdkErrors();
  return absl::OkStatus();
}

// Without a redirection table, or with one that does not take this, packets arrive by hand-over.
void Port::SpreadOverQueues() const {
  rte_eth_dev_info info{};
  if (offloads_.rss_fields == 0 || rte_eth_dev_info_get(dpdk_port_, &info) != 0 ||
      info.reta_size == 0) {
    return;
  }
  auto table = RedirectionTable(info.reta_size, num_queues_);
  const int error = rte_eth_dev_rss_reta_update(dpdk_port_, table.data(), info.reta_size);
  if (error != 0) {
    spdlog::warn(
        "port {}: redirection table stays as it is: {}; packets of some calls go from "
        "worker to worker",
        name_, strerror(-error));
  }
}

PortTotals Port::Totals() const {
  PortTotals totals{.link_up = LinkUp(), .queues = {}};
  if (parent_ != nullptr) return totals;
  rte_eth_stats stats{};
  (void)rte_eth_stats_get(dpdk_port_, &stats);
  totals.rx_packets = stats.ipackets;
  totals.rx_octets = stats.ibytes;
  totals.rx_missed = stats.imissed;
  totals.rx_no_buffer = stats.rx_nombuf;
  totals.rx_errors = stats.ierrors;
  totals.tx_packets = stats.opackets;
  totals.tx_octets = stats.obytes;
  totals.tx_errors = stats.oerrors;
  totals.queues = QueueTotals(stats, num_queues_);
  return totals;
}

bool Port::LinkUp() const {
  if (parent_ != nullptr) return parent_->LinkUp();
  // The drivers over an interface of the kernel's say "up" whatever that one does.
  if (kernel_interface_ && !kernel_interface_->HasCarrier()) return false;
  rte_eth_link link{};
  return rte_eth_link_get_nowait(dpdk_port_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

Port::~Port() {
  if (!configured_) return;
  (void)rte_eth_dev_stop(dpdk_port_);
  (void)rte_eth_dev_close(dpdk_port_);
}

}  // namespace culvert::dataplane
