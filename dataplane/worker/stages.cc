#include "dataplane/worker/stages.h"

namespace culvert::dataplane {
namespace {

constexpr Step kInput[] = {EthernetInputStep, OuterIpv4InputStep, GreInputStep};
constexpr Step kUpstream[] = {UpstreamCallStep, SequenceStep, PppInputStep,       MppeDecryptStep,
                              AcknowledgeStep,  ProtocolStep, InnerIpv4Step,      AntiSpoofStep,
                              MartianStep,      MssClampStep, UpstreamAccountStep};
constexpr Step kKernel[] = {InnerIpv4Step, KernelInputStep};
constexpr Step kRoute[] = {RouteStep};
constexpr Step kTransit[] = {MartianStep, TrimStep, TtlStep, ToEthernetStep};
constexpr Step kDownstream[] = {
    DownstreamCallStep, MartianStep,           TrimStep,        TtlStep,      MtuStep,
    MssClampStep,       DownstreamAccountStep, MppeEncryptStep, PppOutputStep};
constexpr Step kControl[] = {ControlFrameStep};
constexpr Step kTunnel[] = {GreOutputStep, OuterIpv4OutputStep, TunnelRouteStep};
constexpr Step kEthernet[] = {EthernetOutputStep};

}  // namespace

std::span<const Step> StepsOf(Stage stage) {
  switch (stage) {
    case Stage::kInput:
      return kInput;
    case Stage::kUpstream:
      return kUpstream;
    case Stage::kKernel:
      return kKernel;
    case Stage::kRoute:
      return kRoute;
    case Stage::kTransit:
      return kTransit;
    case Stage::kDownstream:
      return kDownstream;
    case Stage::kControl:
      return kControl;
    case Stage::kTunnel:
      return kTunnel;
    case Stage::kEthernet:
      return kEthernet;
    case Stage::kCount:
      break;
  }
  return {};
}

}  // namespace culvert::dataplane
