// What requests and accounting say of this gateway and of a call, the same in both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "controlplane/aaa/authentication.h"
#include "controlplane/radius/attribute_list.h"

namespace culvert::radius {

// NasIdentity: how servers know this gateway. CoA requests must name the same.
struct NasIdentity {
  std::string identifier;  // NAS-Identifier; not empty
  std::optional<uint32_t> ipv4;
  std::optional<std::array<uint8_t, 16>> ipv6;
  std::string host_name;  // Tunnel-Server-Auth-ID; empty: not sent
};

// Service-Type, Framed-Protocol, NAS-Port-Type, Tunnel-Type and Tunnel-Medium-Type that we have.
constexpr uint32_t kServiceTypeFramed = 2;
constexpr uint32_t kFramedProtocolPpp = 1;
constexpr uint32_t kNasPortTypeVirtual = 5;
constexpr uint32_t kTunnelTypePptp = 1;
constexpr uint32_t kTunnelMediumIpv4 = 1;

// AddNas writes NAS-Identifier and the address that is set.
void AddNas(const NasIdentity& nas, AttributeList& list);
// AddSession writes NAS-Port*, Service-Type, Framed-Protocol, Calling- and Called-Station-Id,
// Acct-Session-Id, Tunnel-* and Connect-Info.
void AddSession(const NasIdentity& nas, const CallFacts& call, AttributeList& list);
// NasPortId is the text of NAS-Port-Id: "pptp" and the number of NAS-Port.
[[nodiscard]] std::string NasPortId(uint32_t nas_port);

}  // namespace culvert::radius
