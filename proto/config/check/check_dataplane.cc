#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "proto/config/address/address.h"
#include "proto/config/address/address6.h"
#include "proto/config/check/check.h"
#include "proto/config/repeats.h"

namespace culvert::config {
namespace {

constexpr uint32_t kDefaultMtu = 1500;

std::string PortKey(int i, const char* field) {
  return fmt::format("dataplane.ports[{}].{}", i, field);
}

const v1::Port* FindPort(const v1::Dataplane& dataplane, const std::string& name) {
  for (const v1::Port& port : dataplane.ports()) {
    if (port.name() == name) return &port;
  }
  return nullptr;
}

// What does not go with the sub-port's key `parent`; an empty string: all right.
std::string WrongParent(const v1::Port& port, const v1::Port* parent, bool vlan_usable) {
  if (parent == nullptr) return fmt::format("no port has the name \"{}\"", port.parent());
  if (!parent->parent().empty() || parent == &port) {
    return fmt::format("\"{}\" is a VLAN itself; two tags (802.1ad, QinQ) are not supported",
                       port.parent());
  }
  if (!port.has_vlan() && vlan_usable) return "a sub-port needs vlan = 1 to 4094";
  return "";
}

// CheckVlans: a port has a device, or a parent and a VLAN, and nothing that the parent decides.
void CheckVlans(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  const v1::Dataplane& dataplane = config.dataplane();
  std::vector<Keyed<std::string>> vlans;
  for (int i = 0; i < dataplane.ports_size(); ++i) {
    const v1::Port& port = dataplane.ports(i);
    const auto add = [&](const char* field, const std::string& text) {
      problems->push_back(places.At({PortKey(i, field)}, text));
    };
    if (port.parent().empty()) {
      if (port.has_vlan()) add("vlan", "needs parent = the name of the port that carries it");
      if (port.device().empty() && places.Usable(PortKey(i, "device"))) {
        add("device", "is missing and has no default");
      }
      continue;
    }
    const v1::Port* parent = FindPort(dataplane, port.parent());
    const std::string wrong = WrongParent(port, parent, places.Usable(PortKey(i, "vlan")));
    if (!wrong.empty()) {
      add("parent", wrong);
      continue;
    }
    vlans.push_back({PortKey(i, "vlan"), fmt::format("{} on {}", port.vlan(), port.parent())});
    if (!port.device().empty()) add("device", "a VLAN has its parent's: take one of the two away");
    if (!port.mac().empty()) add("mac", "a VLAN has its parent's: set it there");
    if (!port.offload().empty()) add("offload", "a VLAN has its parent's: set it there");
    const uint32_t parent_mtu = parent->has_mtu() ? parent->mtu() : kDefaultMtu;
    if (port.has_mtu() && port.mtu() > parent_mtu) {
      add("mtu", fmt::format("{} is above its parent's, {}", port.mtu(), parent_mtu));
    }
  }
  CheckRepeats(vlans, places, problems);
}

void CheckPorts(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  std::vector<Keyed<std::string>> names, devices, macs, addresses;
  const auto add_address = [&](const std::string& key, const std::string& text) {
    const auto parsed = ParseInterface(text);
    if (parsed) addresses.push_back({key, FormatIpv4(parsed->address)});
    const auto parsed6 = ParseInterface6(text);
    if (parsed6) addresses.push_back({key, FormatIpv6(parsed6->address)});
  };
  const v1::Clients& clients = config.dataplane().clients();
  names.push_back({"dataplane.clients.interface", clients.interface()});
  for (int i = 0; i < clients.addresses_size(); ++i) {
    add_address(fmt::format("dataplane.clients.addresses[{}]", i), clients.addresses(i));
  }
  for (int i = 0; i < config.dataplane().ports_size(); ++i) {
    const v1::Port& port = config.dataplane().ports(i);
    names.push_back({PortKey(i, "name"), port.name()});
    devices.push_back({PortKey(i, "device"), port.device()});
    macs.push_back({PortKey(i, "mac"), port.mac()});
    for (int j = 0; j < port.addresses_size(); ++j) {
      add_address(fmt::format("{}[{}]", PortKey(i, "addresses"), j), port.addresses(j));
    }
  }
  CheckRepeats(names, places, problems);
  CheckRepeats(devices, places, problems);
  CheckRepeats(macs, places, problems);
  CheckRepeats(addresses, places, problems);
}

void CheckCores(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  const v1::Dataplane& dataplane = config.dataplane();
  for (int i = 0; i < dataplane.worker_cores_size(); ++i) {
    const std::string key = fmt::format("dataplane.worker_cores[{}]", i);
    if (!places.Usable(key)) continue;
    const uint32_t core = dataplane.worker_cores(i);
    for (int j = 0; j < i; ++j) {
      if (dataplane.worker_cores(j) != core) continue;
      problems->push_back(places.At({key}, fmt::format("core {} has a worker already", core)));
      break;
    }
    if (core != dataplane.main_core() || dataplane.idle() != "poll" ||
        !places.Usable("dataplane.main_core")) {
      continue;
    }
    problems->push_back(places.At(
        {key, "dataplane.main_core", "dataplane.idle"},
        fmt::format("core {} is main_core too, and a polling worker leaves nothing of it: take "
                    "another core, or set idle = \"sleep\"",
                    core)));
  }
}

// A packet of a client with our MRU must fit some port with all that is put around it.
void CheckMru(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems) {
  // IPv4 20, GRE with sequence and acknowledgement 16, PPP address, control and protocol 4, and
  // inside it the MPPE header 2 and the protocol of what is encrypted 2.
  constexpr uint32_t kOverhead = 44;
  if (config.dataplane().ports().empty() || !places.Usable("ppp.mru")) return;
  uint32_t largest = 0;
  for (int i = 0; i < config.dataplane().ports_size(); ++i) {
    const v1::Port& port = config.dataplane().ports(i);
    if (!places.Usable(PortKey(i, "mtu"))) return;
    if (port.parent().empty()) {
      largest = std::max(largest, port.has_mtu() ? port.mtu() : kDefaultMtu);
    }
  }
  if (largest == 0 || config.ppp().mru() + kOverhead <= largest) return;
  problems->push_back(places.At(
      {"ppp.mru", "dataplane.ports"},
      fmt::format("{} and the {} octets that PPTP adds do not fit any port (largest mtu: {}): at "
                  "most {} is allowed",
                  config.ppp().mru(), kOverhead, largest, largest - kOverhead)));
}

// Fragments that never complete must leave buffers to the others.
void CheckFragments(const v1::Config& config, const SourceMap& places,
                    std::vector<Problem>* problems) {
  const v1::Dataplane& dataplane = config.dataplane();
  const std::vector<std::string> keys = {"dataplane.reassembly_fragments", "dataplane.mbufs",
                                         "dataplane.worker_cores"};
  if (!std::all_of(keys.begin(), keys.end(),
                   [&](const std::string& key) { return places.Usable(key); })) {
    return;
  }
  const auto workers = static_cast<uint64_t>(dataplane.worker_cores_size());
  const uint64_t held = std::bit_ceil(dataplane.reassembly_fragments()) * workers;
  if (held <= dataplane.mbufs() / 2) return;
  problems->push_back(places.At(
      {keys[0], keys[1], keys[2]},
      fmt::format("the fragments that {} workers may hold ({}) are more than half of mbufs ({})",
                  workers, held, dataplane.mbufs())));
}

}  // namespace

void CheckDataplane(const v1::Config& config, const SourceMap& places,
                    std::vector<Problem>* problems) {
  CheckPorts(config, places, problems);
  CheckVlans(config, places, problems);
  CheckCores(config, places, problems);
  CheckMru(config, places, problems);
  CheckFragments(config, places, problems);
}

}  // namespace culvert::config
