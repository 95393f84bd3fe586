#include "dataplane/tap/tun_device.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace culvert::dataplane {
namespace {

constexpr const char* kTunPath = "/dev/net/tun";
constexpr int kQueueLen = 1000;  // frames that the kernel keeps for us

ifreq Request(const std::string& name) {
  ifreq request{};
  strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return request;
}

absl::Status Error(const std::string& name, const char* what, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("interface ", name, ": ", what));
}

// Socket closes itself; for ioctl.
class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TunDevice>> TunDevice::Create(const TunSpec& spec) {
  if (if_nametoindex(spec.name.c_str()) != 0) {
    return absl::AlreadyExistsError(absl::StrCat(
        "interface ", spec.name, " exists already: another process has it, or it is a device of ",
        "the kernel; stop that process, or take another name"));
  }
  const int fd = open(kTunPath, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("interface ", spec.name, ": cannot open ", kTunPath,
                            errno == EACCES ? "; run as root" : "; run `modprobe tun`"));
  }
  std::unique_ptr<TunDevice> device(new TunDevice(spec.name, fd));
  absl::Status status = device->Attach(spec.mac.has_value());
  if (status.ok()) status = device->Configure(spec);
  if (!status.ok()) return status;
  return device;
}

absl::Status TunDevice::Attach(bool tap) {
  ifreq request = Request(name_);
  request.ifr_flags = static_cast<short>((tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
  if (ioctl(fd_, TUNSETIFF, &request) == 0) {
    index_ = if_nametoindex(name_.c_str());
    return absl::OkStatus();
  }
  if (errno == EPERM) {
    return absl::PermissionDeniedError(absl::StrCat(
        "interface ", name_, ": no permission to make it; run as root or with CAP_NET_ADMIN"));
  }
  return Error(name_, "cannot be made", errno);
}

absl::Status TunDevice::Configure(const TunSpec& spec) {
  const Socket socket;
  ifreq request = Request(name_);
  if (spec.mac) {
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::copy(spec.mac->begin(), spec.mac->end(), request.ifr_hwaddr.sa_data);
    if (ioctl(socket.fd(), SIOCSIFHWADDR, &request) != 0) return Error(name_, "MAC", errno);
  }
  request = Request(name_);
  request.ifr_mtu = spec.mtu;
  if (ioctl(socket.fd(), SIOCSIFMTU, &request) != 0) return Error(name_, "MTU", errno);
  request = Request(name_);
  request.ifr_qlen = kQueueLen;
  if (ioctl(socket.fd(), SIOCSIFTXQLEN, &request) != 0) return Error(name_, "queue", errno);
  request = Request(name_);
  if (ioctl(socket.fd(), SIOCGIFFLAGS, &request) != 0) return Error(name_, "flags", errno);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(socket.fd(), SIOCSIFFLAGS, &request) != 0) return Error(name_, "up", errno);
  return absl::OkStatus();
}

void TunDevice::SetCarrier(bool up) {
  if (up == carrier_) return;
  int value = up ? 1 : 0;
  if (ioctl(fd_, TUNSETCARRIER, &value) == 0) carrier_ = up;
}

TunDevice::~TunDevice() { close(fd_); }

}  // namespace culvert::dataplane
