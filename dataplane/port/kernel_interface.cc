#include "dataplane/port/kernel_interface.h"

#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace culvert::dataplane {
namespace {

ifreq Request(const std::string& name) {
  ifreq request{};
  strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return request;
}

std::string Ipv6Switch(const std::string& name) {
  return absl::StrCat("/proc/sys/net/ipv6/conf/", name, "/disable_ipv6");
}

}  // namespace

absl::Status KernelInterface::Check(const std::string& port_name, const std::string& interface) {
  if (if_nametoindex(interface.c_str()) != 0) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("port ", port_name, ": kernel interface ", interface,
                   " does not exist in this network namespace (`ip link` shows what there is)"));
}

absl::StatusOr<std::unique_ptr<KernelInterface>> KernelInterface::Prepare(
    const std::string& port_name, const std::string& interface, uint16_t mtu) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket");
  std::unique_ptr<KernelInterface> result(new KernelInterface(interface, fd));
  ifreq request = Request(interface);
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("port ", port_name, ": ", interface));
  }
  result->old_flags_ = request.ifr_flags;
  result->TurnOffIpv6();
  result->TurnOffOffloads();
  absl::Status status = result->SetMtu(mtu);
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("port ", port_name, ": ", interface, ": does not take MTU ",
                                     mtu, ": ", status.message()));
  }
  status = result->SetFlags(IFF_UP | IFF_PROMISC | IFF_NOARP, 0);
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("port ", port_name, ": ", interface,
                                     ": cannot set up, promiscuous, no ARP: ", status.message()));
  }
  result->WarnOfAddresses(port_name);
  return result;
}

absl::Status KernelInterface::SetFlags(short set, short clear) {
  ifreq request = Request(name_);
  if (ioctl(fd_, SIOCGIFFLAGS, &request) != 0) return absl::ErrnoToStatus(errno, "SIOCGIFFLAGS");
  request.ifr_flags = static_cast<short>((request.ifr_flags | set) & ~clear);
  if (ioctl(fd_, SIOCSIFFLAGS, &request) != 0) return absl::ErrnoToStatus(errno, "SIOCSIFFLAGS");
  return absl::OkStatus();
}

absl::Status KernelInterface::SetMtu(int mtu) {
  ifreq request = Request(name_);
  if (ioctl(fd_, SIOCGIFMTU, &request) != 0) return absl::ErrnoToStatus(errno, "SIOCGIFMTU");
  const int old_mtu = request.ifr_mtu;
  if (old_mtu == mtu) return absl::OkStatus();
  request.ifr_mtu = mtu;
  if (ioctl(fd_, SIOCSIFMTU, &request) != 0) return absl::ErrnoToStatus(errno, "SIOCSIFMTU");
  old_mtu_ = old_mtu;
  return absl::OkStatus();
}

void KernelInterface::TurnOffOffloads() const {
  for (const uint32_t command : {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
    ethtool_value value{.cmd = command, .data = 0};
    ifreq request = Request(name_);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (ioctl(fd_, SIOCETHTOOL, &request) != 0 && errno != EOPNOTSUPP) {
      spdlog::warn("interface {}: offload (ethtool command {:#x}) stays on: {}", name_, command,
                   strerror(errno));
    }
  }
}

void KernelInterface::TurnOffIpv6() {
  int disabled = 1;  // as if, when the kernel has no IPv6
  std::ifstream(Ipv6Switch(name_)) >> disabled;
  if (disabled != 0) return;
  std::ofstream out(Ipv6Switch(name_));
  out << "1" << std::flush;
  if (out) {
    ipv6_was_on_ = true;
  } else {
    spdlog::warn("interface {}: IPv6 stays on (no write access to {}): the kernel answers there",
                 name_, Ipv6Switch(name_));
  }
}

void KernelInterface::WarnOfAddresses(const std::string& port_name) const {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if (name_ != entry->ifa_name) continue;
    char text[INET_ADDRSTRLEN] = "?";
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr, text,
              sizeof(text));
    spdlog::warn(
        "interface {} has the address {}: the kernel answers for it past port {}; move "
        "it to the port (`ip addr del {} dev {}`)",
        name_, text, port_name, text, name_);
  }
  freeifaddrs(list);
}

bool KernelInterface::HasCarrier() const {
  constexpr short kWanted = IFF_UP | IFF_RUNNING;
  ifreq request = Request(name_);
  return ioctl(fd_, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & kWanted) == kWanted;
}

KernelInterface::~KernelInterface() {
  if (old_flags_ != 0) {
    const auto taken = static_cast<short>((IFF_UP | IFF_PROMISC | IFF_NOARP) & ~old_flags_);
    (void)SetFlags(0, taken);
  }
  if (old_mtu_ != 0) (void)SetMtu(old_mtu_);
  if (ipv6_was_on_) std::ofstream(Ipv6Switch(name_)) << "0" << std::flush;
  close(fd_);
}

}  // namespace culvert::dataplane
