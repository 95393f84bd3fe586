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
#include "proto/config/address.h"

namespace culvert::dataplane {
namespace {

constexpr uint16_t kNumDescriptors = 1024;
constexpr uint16_t kEthernetMtu = 1500;

// The hash is to see the address pair only: GRE has no ports, and the calls of one client must
// not be torn apart.
constexpr uint64_t kRssFields =
    RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER;

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
                                                 rte_mempool* mbufs) {
  std::unique_ptr<Port> port(new Port(config.name(), device, PortMtu(config)));
  absl::Status status = port->Find();
  if (status.ok()) status = port->Configure(num_workers, mbufs);
  if (status.ok()) status = port->SetMac(config.mac());
  const std::string interface = device.KernelInterface();
  if (status.ok() && !interface.empty()) {
    auto prepared = KernelInterface::Prepare(config.name(), interface, port->mtu_);
    if (!prepared.ok()) return prepared.status();
    port->kernel_interface_ = *std::move(prepared);
  }
  if (status.ok()) status = port->StartDevice();
  if (!status.ok()) return status;
  spdlog::info("port {}: {} mac {} mtu {} queues {}", port->name_, device.Text(),
               FormatMac(port->mac_), port->mtu_, num_workers);
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

absl::Status Port::Configure(unsigned num_queues, rte_mempool* mbufs) {
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
  if (num_queues > 1 && (info.flow_type_rss_offloads & kRssFields) != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & kRssFields;
    // A device with a key of another length keeps its own: packets then arrive by hand-over.
    if (info.hash_key_size == key.size()) {
      conf.rx_adv_conf.rss_conf.rss_key = key.data();
      conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<uint8_t>(key.size());
    }
  }
  const auto queues = static_cast<uint16_t>(num_queues);
  error = rte_eth_dev_configure(dpdk_port_, queues, queues, &conf);
  if (error != 0) return Error(absl::StrCat("cannot be configured for MTU ", mtu_), error);
  configured_ = true;
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

PortTotals Port::Totals() const {
  rte_eth_stats stats{};
  (void)rte_eth_stats_get(dpdk_port_, &stats);
  return {.link_up = LinkUp(),
          .rx_packets = stats.ipackets,
          .rx_octets = stats.ibytes,
          .rx_missed = stats.imissed + stats.rx_nombuf,
          .tx_packets = stats.opackets,
          .tx_octets = stats.obytes,
          .tx_dropped = stats.oerrors};
}

bool Port::LinkUp() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(dpdk_port_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

Port::~Port() {
  if (!configured_) return;
  (void)rte_eth_dev_stop(dpdk_port_);
  (void)rte_eth_dev_close(dpdk_port_);
}

}  // namespace culvert::dataplane
