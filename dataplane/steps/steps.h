// The packet path's steps. A step looks at one packet, changes it, and returns where it goes. File,
// step, and place in stages.cc have one name; a folder holds a stretch of the path. Steps run on
// the worker's thread; those after upstream_call and downstream_call may change packet.call.
#pragma once

#include "dataplane/packet/packet.h"
#include "dataplane/worker/context.h"

namespace culvert::dataplane {

using Step = Verdict (*)(Packet& packet, WorkerContext& context);
// A burst step sees a stage's packets at once and gives a verdict for each.
using BurstStep = void (*)(std::span<rte_mbuf* const> mbufs, Verdict* verdicts,
                           WorkerContext& context);

// input: from the port to the GRE header.
Verdict EthernetInputStep(Packet& packet, WorkerContext& context);
Verdict OuterIpv4InputStep(Packet& packet, WorkerContext& context);
Verdict GreInputStep(Packet& packet, WorkerContext& context);
Verdict KernelInputStep(Packet& packet, WorkerContext& context);

// upstream: from the call to the inner packet.
Verdict UpstreamCallStep(Packet& packet, WorkerContext& context);
Verdict SequenceStep(Packet& packet, WorkerContext& context);
Verdict PppInputStep(Packet& packet, WorkerContext& context);
void MppeDecryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context);
Verdict AcknowledgeStep(Packet& packet, WorkerContext& context);
Verdict EchoStep(Packet& packet, WorkerContext& context);
Verdict CcpResetStep(Packet& packet, WorkerContext& context);
Verdict ProtocolStep(Packet& packet, WorkerContext& context);
Verdict InnerIpv4Step(Packet& packet, WorkerContext& context);
Verdict AntiSpoofStep(Packet& packet, WorkerContext& context);
Verdict FilterUpstreamStep(Packet& packet, WorkerContext& context);
void FilterUpstreamBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts,
                         WorkerContext& context);
Verdict PoliceUpstreamStep(Packet& packet, WorkerContext& context);
Verdict UpstreamAccountStep(Packet& packet, WorkerContext& context);
// GiveBackSequence takes back the number of a packet that proved to be forged.
void GiveBackSequence(const Packet& packet);

// forward: what every forwarded packet meets.
Verdict MartianStep(Packet& packet, WorkerContext& context);
Verdict MssClampStep(Packet& packet, WorkerContext& context);
void RouteBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context);
Verdict TtlStep(Packet& packet, WorkerContext& context);
Verdict TrimStep(Packet& packet, WorkerContext& context);
Verdict EthernetOutputStep(Packet& packet, WorkerContext& context);

// downstream: from the call to the outer packet.
Verdict DownstreamCallStep(Packet& packet, WorkerContext& context);
Verdict FilterDownstreamStep(Packet& packet, WorkerContext& context);
void FilterDownstreamBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts,
                           WorkerContext& context);
Verdict MtuStep(Packet& packet, WorkerContext& context);
Verdict PoliceDownstreamStep(Packet& packet, WorkerContext& context);
Verdict SendWindowStep(Packet& packet, WorkerContext& context);
Verdict DownstreamAccountStep(Packet& packet, WorkerContext& context);
void MppeEncryptBurst(std::span<rte_mbuf* const> mbufs, Verdict* verdicts, WorkerContext& context);
Verdict PppOutputStep(Packet& packet, WorkerContext& context);
Verdict ControlFrameStep(Packet& packet, WorkerContext& context);
Verdict GreOutputStep(Packet& packet, WorkerContext& context);
Verdict OuterIpv4OutputStep(Packet& packet, WorkerContext& context);
Verdict TunnelRouteStep(Packet& packet, WorkerContext& context);

// ipv6: the same for IPv6, where it differs.
Verdict Ipv6InputStep(Packet& packet, WorkerContext& context);
Verdict InnerIpv6Step(Packet& packet, WorkerContext& context);
Verdict AntiSpoof6Step(Packet& packet, WorkerContext& context);
Verdict Martian6Step(Packet& packet, WorkerContext& context);
Verdict MssClamp6Step(Packet& packet, WorkerContext& context);
Verdict UpstreamAccount6Step(Packet& packet, WorkerContext& context);
Verdict KernelInput6Step(Packet& packet, WorkerContext& context);
Verdict Route6Step(Packet& packet, WorkerContext& context);
Verdict HopLimitStep(Packet& packet, WorkerContext& context);
Verdict EthernetOutput6Step(Packet& packet, WorkerContext& context);
Verdict DownstreamCall6Step(Packet& packet, WorkerContext& context);
Verdict Mtu6Step(Packet& packet, WorkerContext& context);
Verdict DownstreamAccount6Step(Packet& packet, WorkerContext& context);

}  // namespace culvert::dataplane
