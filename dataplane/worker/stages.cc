#include "dataplane/worker/stages.h"

#include <array>
#include <utility>

namespace culvert::dataplane {
namespace {

#define STEP(name) \
  { #name, name##Step }
constexpr NamedStep kInput[] = {STEP(EthernetInput), STEP(OuterIpv4Input), STEP(GreInput)};
constexpr NamedStep kGre[] = {STEP(GreInput)};
constexpr NamedStep kUpstream[] = {STEP(UpstreamCall), STEP(Sequence), STEP(PppInput)};
constexpr NamedStep kFrame[] = {STEP(PppInput)};
constexpr NamedStep kInner[] = {
    STEP(Acknowledge), STEP(Echo),    STEP(CcpReset), STEP(Protocol),       STEP(InnerIpv4),
    STEP(AntiSpoof),   STEP(Martian), STEP(MssClamp), STEP(PoliceUpstream), STEP(UpstreamAccount)};
constexpr NamedStep kKernel[] = {STEP(InnerIpv4), STEP(KernelInput)};
constexpr NamedStep kTransit[] = {STEP(Martian), STEP(Trim), STEP(Ttl), STEP(EthernetOutput)};
constexpr NamedStep kDownstream[] = {STEP(DownstreamCall),
                                     STEP(Martian),
                                     STEP(Trim),
                                     STEP(Ttl),
                                     STEP(Mtu),
                                     STEP(MssClamp),
                                     STEP(PoliceDownstream),
                                     STEP(SendWindow),
                                     STEP(DownstreamAccount),
                                     STEP(PppOutput),
                                     STEP(GreOutput),
                                     STEP(OuterIpv4Output),
                                     STEP(TunnelRoute),
                                     STEP(EthernetOutput)};
constexpr NamedStep kFrameOut[] = {STEP(PppOutput), STEP(GreOutput), STEP(OuterIpv4Output),
                                   STEP(TunnelRoute), STEP(EthernetOutput)};
constexpr NamedStep kControl[] = {STEP(ControlFrame)};
constexpr NamedStep kTunnel[] = {STEP(GreOutput), STEP(OuterIpv4Output), STEP(TunnelRoute),
                                 STEP(EthernetOutput)};
constexpr NamedStep kEthernet[] = {STEP(EthernetOutput)};
#undef STEP

// RunAll is the list unrolled, with the steps inlined at link time.
template <const auto& kSteps>
[[gnu::flatten]] Verdict RunAll(Packet& packet, WorkerContext& context) {
  return [&]<size_t... i>(std::index_sequence<i...>) {
    Verdict verdict = Verdict::Next();
    static_cast<void>((... && (verdict = kSteps[i].step(packet, context)).IsNext()));
    return verdict;
  }
  (std::make_index_sequence<std::size(kSteps)>());
}

template <const auto& kSteps>
constexpr StageSteps List(const char* name) {
  return {name, kSteps, RunAll<kSteps>, nullptr};
}
constexpr StageSteps Burst(const char* name, BurstStep step) { return {name, {}, nullptr, step}; }

// In the order of Stage.
constexpr std::array<StageSteps, kNumStages> kStages = {
    List<kInput>("input"),
    List<kGre>("gre"),
    List<kUpstream>("upstream"),
    List<kFrame>("frame"),
    Burst("mppe_decrypt", MppeDecryptBurst),
    List<kInner>("inner"),
    List<kKernel>("kernel"),
    Burst("route", RouteBurst),
    List<kTransit>("transit"),
    List<kDownstream>("downstream"),
    Burst("mppe_encrypt", MppeEncryptBurst),
    List<kFrameOut>("frame_out"),
    List<kControl>("control"),
    List<kTunnel>("tunnel"),
    List<kEthernet>("ethernet"),
};

}  // namespace

const StageSteps& StepsOf(Stage stage) { return kStages[static_cast<size_t>(stage)]; }

}  // namespace culvert::dataplane
