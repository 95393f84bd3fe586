// A port's MAC address: which one it has.
#pragma once

#include <optional>
#include <string>

#include "dataplane/datapath.h"
#include "dataplane/eal/device.h"

namespace culvert::dataplane {

// StableMac is a unicast, locally administered address that depends on its arguments only.
// `seed` tells apart two machines on one link that name their ports alike: the hardware address
// of the kernel interface below, or anything.
MacAddress StableMac(const std::string& port_name, const std::string& kernel_interface,
                     const MacAddress& seed);

// ChooseMac: the configured one; else, where the kernel also listens on the interface or the
// address would be the same for every process, a stable one; else the device's own.
MacAddress ChooseMac(const std::string& port_name, const std::optional<MacAddress>& configured,
                     const Device& device, const MacAddress& device_mac);

// FormatMac gives 02:00:00:00:00:01.
std::string FormatMac(const MacAddress& mac);

}  // namespace culvert::dataplane
