#include "dataplane/eal/eal.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <linux/capability.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "dataplane/datapath.h"
#include "dataplane/eal/arguments.h"
#include "dataplane/eal/huge_pages.h"
#include "dataplane/eal/log.h"

namespace culvert::dataplane {
namespace {

constexpr const char* kHugePagesFolder = "/sys/kernel/mm/hugepages";
constexpr unsigned kPoolCache = 256;
constexpr uint16_t kDefaultMtu = 1500;
// Ethernet with two VLAN tags.
constexpr unsigned kFrameRoom = 22;
constexpr unsigned kDeviceUnit = 1024;

std::string WithDpdkErrors(std::string text) {
  const std::string errors = LastDpdkErrors();
  if (!errors.empty()) absl::StrAppend(&text, " (", errors, ")");
  return text;
}

// EAL stops at a device string that no driver takes; its errors then name the device.
absl::Status StartError(const config::v1::Dataplane& config, const std::vector<Device>& devices) {
  const std::string reason = rte_strerror(rte_errno);
  const std::string errors = LastDpdkErrors();
  for (size_t i = 0; i < devices.size(); ++i) {
    if (errors.find('"' + devices[i].Text() + '"') == std::string::npos &&
        errors.find('"' + devices[i].name + '"') == std::string::npos) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "port ", config.ports(DevicePorts(config)[i]).name(), ": ", devices[i].Text(),
        ": no DPDK driver takes this device; virtual ones are named after their driver, such as ",
        "net_af_packet0, net_af_xdp0, net_memif0 (", errors, ")"));
  }
  return absl::InternalError(absl::StrCat("DPDK did not start: ", reason, " (", errors,
                                          "); log.level = \"debug\" shows all of its log"));
}

// EAL would try for a long time to get memory that cannot be there.
absl::Status CheckMemory(uint32_t memory_mb) {
  const uint64_t machine_mb = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                  static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) >>
                              20;
  if (memory_mb <= machine_mb) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("dataplane.memory_mb: ", memory_mb, " MB; this machine has ", machine_mb));
}

}  // namespace

uint16_t PortMtu(const config::v1::Port& port) {
  return port.has_mtu() ? static_cast<uint16_t>(port.mtu()) : kDefaultMtu;
}

absl::Status CheckCores(const config::v1::Dataplane& config) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return absl::OkStatus();

  const auto check = [&](const char* key, unsigned core) {
    if (CPU_ISSET(core, &allowed)) return absl::OkStatus();
    std::string cores;
    for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &allowed)) absl::StrAppend(&cores, cores.empty() ? "" : ",", i);
    }
    return absl::FailedPreconditionError(absl::StrCat(
        key, ": core ", core, " does not exist or is not allowed here; there are: ", cores));
  };
  absl::Status status = check("dataplane.main_core", config.main_core());
  for (const unsigned core : config.worker_cores()) {
    status.Update(check("dataplane.worker_cores", core));
  }
  return status;
}

absl::Status CheckPermission() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return absl::OkStatus();
  std::string missing;
  if ((data[0].effective & (1U << CAP_NET_ADMIN)) == 0) missing = "CAP_NET_ADMIN";
  if ((data[0].effective & (1U << CAP_NET_RAW)) == 0) {
    absl::StrAppend(&missing, missing.empty() ? "" : " and ", "CAP_NET_RAW");
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "no permission: ", missing, " missing; run as root, or give AmbientCapabilities=",
      "CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK in the systemd unit"));
}

std::vector<int> DevicePorts(const config::v1::Dataplane& config) {
  std::vector<int> ports;
  for (int i = 0; i < config.ports_size(); ++i) {
    if (config.ports(i).parent().empty()) ports.push_back(i);
  }
  return ports;
}

absl::StatusOr<std::vector<Device>> Devices(const config::v1::Dataplane& config) {
  std::vector<Device> devices;
  for (const int i : DevicePorts(config)) {
    const config::v1::Port& port = config.ports(i);
    absl::StatusOr<Device> device = ParseDevice(port.device());
    if (!device.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("port ", port.name(), ": ", device.status().message()));
    }
    FitDevice(static_cast<unsigned>(config.worker_cores_size()), PortMtu(port), &*device);
    for (const Device& other : devices) {
      if (other.name != device->name) continue;
      return absl::InvalidArgumentError(absl::StrCat("port ", port.name(), ": device ",
                                                     device->name, " belongs to another port"));
    }
    devices.push_back(*std::move(device));
  }
  return devices;
}

absl::StatusOr<std::unique_ptr<Eal>> Eal::Start(const config::v1::Dataplane& config,
                                                const std::vector<Device>& devices) {
  const absl::Status enough = CheckMemory(config.memory_mb());
  if (!enough.ok()) return enough;
  absl::StatusOr<HugePageChoice> huge_pages =
      ChooseHugePages(config.huge_pages(), FreeHugePagesMb(kHugePagesFolder), config.memory_mb());
  if (!huge_pages.ok()) return huge_pages.status();
  if (!huge_pages->warning.empty()) spdlog::warn("{}", huge_pages->warning);

  EalSpec spec;
  spec.file_prefix = absl::StrCat("culvert-", getpid());
  spec.main_core = config.main_core();
  spec.worker_cores.assign(config.worker_cores().begin(), config.worker_cores().end());
  spec.devices = devices;
  spec.huge_pages = huge_pages->use;
  spec.memory_mb = config.memory_mb();
  std::vector<std::string> arguments = EalArguments(spec);
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    spdlog::debug("eal argument: {}", argument);
    argv.push_back(argument.data());
  }

  CaptureDpdkLog();
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    return StartError(config, devices);
  }
  std::unique_ptr<Eal> eal(new Eal);
  absl::Status status = eal->MakePool(config, devices);
  if (!status.ok()) return status;
  return eal;
}

absl::Status Eal::MakePool(const config::v1::Dataplane& config,
                           const std::vector<Device>& devices) {
  unsigned octets = RTE_MBUF_DEFAULT_DATAROOM;
  for (const auto& port : config.ports()) octets = std::max(octets, PortMtu(port) + kFrameRoom);
  // Many devices take a buffer in whole KiB only and would need a second one for the rest.
  octets = (octets + kDeviceUnit - 1) / kDeviceUnit * kDeviceUnit;
  for (const Device& device : devices) {
    // net_af_packet wants a whole slot of its ring to fit.
    unsigned slot = 0;
    if (absl::SimpleAtoi(device.Argument("framesz"), &slot)) octets = std::max(octets, slot);
  }
  const unsigned room = RTE_PKTMBUF_HEADROOM + octets;
  if (room > UINT16_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("a packet buffer of ", octets, " octets (framesz=) is larger than can be"));
  }
  mbufs_ = rte_pktmbuf_pool_create("mbufs", config.mbufs(), kPoolCache, kMbufPrivateLen,
                                   static_cast<uint16_t>(room), SOCKET_ID_ANY);
  if (mbufs_ != nullptr) return absl::OkStatus();
  const uint64_t need_mb = uint64_t{config.mbufs()} * (room + kMbufPrivateLen + 256) >> 20;
  return absl::ResourceExhaustedError(WithDpdkErrors(absl::StrCat(
      "dataplane.mbufs: ", config.mbufs(), " packet buffers need about ", need_mb + 16,
      " MB, dataplane.memory_mb is ", config.memory_mb(), ": raise it or have fewer buffers")));
}

Eal::~Eal() {
  if (const unsigned kept = mbufs_ == nullptr ? 0 : rte_mempool_in_use_count(mbufs_); kept != 0) {
    spdlog::error("EAL: {} packet buffers were never given back; please report it", kept);
  }
  rte_mempool_free(mbufs_);
  const std::string runtime_folder = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  // EAL makes it whether it needs it or not.
  std::error_code ignored;
  std::filesystem::remove(runtime_folder, ignored);
}

}  // namespace culvert::dataplane
