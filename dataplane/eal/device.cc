#include "dataplane/eal/device.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>

namespace culvert::dataplane {
namespace {

// Frames that fit into one ring slot of net_af_packet as it comes (framesz 2048, less the
// TPACKET2 header and the socket address).
constexpr uint16_t kPlainSlotMtu = 1900;
// What a slot holds besides the IP packet: TPACKET2 header and address (52), Ethernet with two VLAN
// tags (22), and the kernel's alignment.
constexpr unsigned kSlotOverhead = 102;
constexpr unsigned kPage = 4096;

// "0000:01:00.0", or "01:00.0" without its domain, which has four to eight digits.
bool IsPciAddress(const std::string& text) {
  if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) return false;
  std::string shape;
  for (const char c : text) shape += c == ':' || c == '.' ? c : 'x';
  const std::string tail = "xx:xx.x";
  if (shape.size() < tail.size() || text.back() > '7') return false;
  const std::string domain = shape.substr(0, shape.size() - tail.size());
  return shape.substr(domain.size()) == tail &&
         (domain.empty() ||
          (domain.size() >= 5 && domain.size() <= 9 && domain.find(':') == domain.size() - 1 &&
           domain.find('.') == std::string::npos));
}

bool IsVirtualName(const std::string& text) {
  const std::string prefix = "net_";
  return text.size() > prefix.size() && text.compare(0, prefix.size(), prefix) == 0 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

}  // namespace

std::string Device::Argument(const std::string& key) const {
  for (const auto& [name_of, value] : arguments) {
    if (name_of == key) return value;
  }
  return {};
}

void Device::SetDefault(const std::string& key, const std::string& value) {
  for (const auto& argument : arguments) {
    if (argument.first == key) return;
  }
  arguments.emplace_back(key, value);
}

std::string Device::Driver() const {
  if (kind == Kind::kPci) return {};
  return name.substr(0, name.find_last_not_of("0123456789") + 1);
}

std::string Device::KernelInterface() const {
  const std::string driver = Driver();
  return driver == "net_af_packet" || driver == "net_af_xdp" ? Argument("iface") : std::string();
}

std::string Device::Text() const {
  std::string text = name;
  for (const auto& [key, value] : arguments) {
    absl::StrAppend(&text, ",", key);
    if (!value.empty()) absl::StrAppend(&text, "=", value);
  }
  return text;
}

absl::StatusOr<Device> ParseDevice(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  Device device;
  device.name = parts[0];
  if (IsPciAddress(device.name)) {
    device.kind = Device::Kind::kPci;
    if (std::count(device.name.begin(), device.name.end(), ':') == 1) {
      device.name = "0000:" + device.name;
    }
    std::transform(device.name.begin(), device.name.end(), device.name.begin(), ::tolower);
  } else if (!IsVirtualName(device.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("device \"", text, "\": neither a PCI address (0000:01:00.0) nor a DPDK ",
                     "virtual device (net_af_packet0,iface=eth1)"));
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::pair<std::string, std::string> argument =
        absl::StrSplit(parts[i], absl::MaxSplits('=', 1));
    if (argument.first.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("device \"", text, "\": empty argument"));
    }
    device.arguments.push_back(argument);
  }
  const std::string driver = device.Driver();
  if ((driver == "net_af_packet" || driver == "net_af_xdp") && device.KernelInterface().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("device \"", text, "\": ", driver, " needs iface=NAME, a kernel interface"));
  }
  return device;
}

void FitDevice(unsigned num_workers, uint16_t mtu, Device* device) {
  const std::string driver = device->Driver();
  if (driver == "net_af_packet") {
    device->SetDefault("qpairs", std::to_string(num_workers));
    if (mtu > kPlainSlotMtu) {
      // The kernel wants blocks of whole pages, the driver slots without a gap between blocks.
      const unsigned slot = (mtu + kSlotOverhead + kPage - 1) / kPage * kPage;
      device->SetDefault("framesz", std::to_string(slot));
      device->SetDefault("blocksz", std::to_string(slot));
    }
  }
  if (driver == "net_af_xdp" && num_workers > 1) {
    device->SetDefault("queue_count", std::to_string(num_workers));
  }
}

}  // namespace culvert::dataplane
