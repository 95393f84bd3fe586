#include "controlplane/radius/session_attributes.h"

#include <absl/strings/str_cat.h>

#include "controlplane/management/call_record.h"
#include "proto/config/address/address.h"

namespace culvert::radius {

void AddNas(const NasIdentity& nas, AttributeList& list) {
  list.AddText(attr::kNasIdentifier, nas.identifier);
  if (nas.ipv4) {
    list.AddInteger(attr::kNasIpAddress, *nas.ipv4);
  }
  if (nas.ipv6) {
    list.Add(attr::kNasIpv6Address, *nas.ipv6);
  }
}

std::string NasPortId(uint32_t nas_port) { return absl::StrCat("pptp", nas_port); }

void AddSession(const NasIdentity& nas, const CallFacts& call, AttributeList& list) {
  const std::string peer = config::FormatIpv4(call.peer_address);
  const std::string local = config::FormatIpv4(call.local_address);
  list.AddInteger(attr::kNasPort, call.nas_port);
  list.AddInteger(attr::kNasPortType, kNasPortTypeVirtual);
  list.AddText(attr::kNasPortId, NasPortId(call.nas_port));
  list.AddInteger(attr::kServiceType, kServiceTypeFramed);
  list.AddInteger(attr::kFramedProtocol, kFramedProtocolPpp);
  const PeerNames none;
  const PeerNames& names = call.names != nullptr ? *call.names : none;
  list.AddText(attr::kCallingStationId, names.calling_number.empty() ? peer : names.calling_number);
  list.AddText(attr::kCalledStationId, names.called_number.empty() ? local : names.called_number);
  list.AddText(attr::kAcctSessionId, FormatCallId(call.id));
  list.AddTaggedInteger(attr::kTunnelType, 0, kTunnelTypePptp);
  list.AddTaggedInteger(attr::kTunnelMediumType, 0, kTunnelMediumIpv4);
  // Without a tag, which RFC 2868 s3.3 allows before octets above 0x1f: some servers keep a zero
  // as part of the text.
  list.AddText(attr::kTunnelClientEndpoint, peer);
  list.AddText(attr::kTunnelServerEndpoint, local);
  if (!names.host_name.empty()) {
    list.AddText(attr::kTunnelClientAuthId, names.host_name);
  }
  if (!nas.host_name.empty()) {
    list.AddText(attr::kTunnelServerAuthId, nas.host_name);
  }
  list.AddText(attr::kConnectInfo, "PPTP");
}

}  // namespace culvert::radius
