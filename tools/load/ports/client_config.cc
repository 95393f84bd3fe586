#include "tools/load/ports/client_config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>

#include "dataplane/eal/device.h"
#include "dataplane/eal/huge_pages.h"
#include "proto/config/load.h"

namespace culvert::load {

namespace {

constexpr const char* kHugePagesFolder = "/sys/kernel/mm/hugepages";
constexpr unsigned kMaxPorts = 64;
constexpr uint32_t kMaxServers = 16;  // each has a table of calls
constexpr uint32_t kMbufsPerMb = 32;  // a sixth of the memory

// AddressOf gives the IPv4 address of a kernel interface, or an empty string.
std::string AddressOf(const std::string& interface) {
  std::string address;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return address;
  }
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET &&
        interface == entry->ifa_name) {
      char text[INET_ADDRSTRLEN] = "";
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr, text,
                sizeof text);
      address = text;
    }
  }
  freeifaddrs(list);
  return address;
}

// FreeName is an interface name that nobody has.
std::string FreeName() {
  for (unsigned i = 0; i < kMaxPorts; ++i) {
    if (std::string name = fmt::format("load{}", i); if_nametoindex(name.c_str()) == 0) {
      return name;
    }
  }
  return "load";
}

// CheckDevice: the kernel would answer for its own addresses, with ICMP errors to GRE.
std::string CheckDevice(const std::string& text) {
  const auto device = dataplane::ParseDevice(text);
  if (!device.ok()) {
    return std::string(device.status().message());
  }
  const std::string interface = device->KernelInterface();
  const std::string address = interface.empty() ? "" : AddressOf(interface);
  return address.empty() ? ""
                         : fmt::format(
                               "device: interface {} has the address {}, for which the "
                               "kernel answers: take it away (`ip addr flush dev {}`) and "
                               "give it to the port (--device-address)",
                               interface, address, interface);
}

void Fill(const Plan& plan, config::v1::Dataplane* out) {
  out->set_idle(plan.idle());
  out->set_main_core(plan.main_core());
  out->mutable_worker_cores()->CopyFrom(plan.worker_cores());
  out->set_memory_mb(plan.memory_mb());
  out->set_mbufs(std::max<uint32_t>(4096, plan.memory_mb() * kMbufsPerMb));
  const bool has_huge = dataplane::FreeHugePagesMb(kHugePagesFolder) >= plan.memory_mb();
  out->set_huge_pages(has_huge ? "require" : "off");
  out->set_max_local_addresses(kMaxServers);
  config::v1::Port* port = out->add_ports();
  port->set_name(FreeName());
  port->set_device(plan.device());
  port->mutable_addresses()->CopyFrom(plan.device_address());
}

}  // namespace

ClientConfig MakeClientConfig(const Plan& plan) {
  ClientConfig made;
  const config::Loaded defaults = config::LoadText("", "defaults", config::Process::kControlplane);
  if (!defaults.ok()) {
    made.problem = config::Format(defaults.problems.front());
    return made;
  }
  made.config = defaults.config;
  Fill(plan, made.config.mutable_dataplane());
  made.problem = CheckDevice(plan.device());
  if (made.problem.empty() && plan.server_size() > static_cast<int>(kMaxServers)) {
    made.problem = fmt::format("server: through a device at most {}", kMaxServers);
  }
  if (made.problem.empty()) {
    const auto problems = config::Check(made.config, "", config::Process::kDataplane);
    made.problem = problems.empty() ? "" : problems.front().key + ": " + problems.front().message;
  }
  return made;
}

}  // namespace culvert::load
