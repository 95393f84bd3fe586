#include "dataplane/worker/stages.h"

#include <array>
#include <utility>

namespace culvert::dataplane {
namespace {

#define STEP(name) \
  { #name, name##Step }
constexpr NamedStep kInput[] = {STEP(EthernetInput), STEP(OuterIpv4Input), STEP(GreInput)};
constexpr NamedStep kInput6[] = {STEP(Ipv6Input)};
constexpr NamedStep kGre[] = {STEP(GreInput)};
// Frames of calls that do not decrypt go on without a stop.
#define PERMITTED STEP(MssClamp), STEP(PoliceUpstream), STEP(UpstreamAccount)
#define INNER                                                                                      \
  STEP(Acknowledge), STEP(Echo), STEP(CcpReset), STEP(Protocol), STEP(InnerIpv4), STEP(AntiSpoof), \
      STEP(Martian), STEP(FilterUpstream), PERMITTED
constexpr NamedStep kUpstream[] = {STEP(UpstreamCall), STEP(Sequence), STEP(PppInput), INNER};
constexpr NamedStep kFrame[] = {STEP(PppInput), INNER};
constexpr NamedStep kInner[] = {INNER};
constexpr NamedStep kUpstreamPermitted[] = {PERMITTED};
#undef PERMITTED
#undef INNER
#define PERMITTED6 STEP(MssClamp6), STEP(PoliceUpstream), STEP(UpstreamAccount6)
constexpr NamedStep kInner6[] = {STEP(InnerIpv6), STEP(AntiSpoof6), STEP(Martian6),
                                 STEP(FilterUpstream), PERMITTED6};
constexpr NamedStep kUpstreamPermitted6[] = {PERMITTED6};
#undef PERMITTED6
constexpr NamedStep kKernel6[] = {STEP(InnerIpv6), STEP(KernelInput6)};
constexpr NamedStep kRoute6[] = {STEP(Route6)};
constexpr NamedStep kTransit6[] = {STEP(Martian6), STEP(HopLimit), STEP(EthernetOutput6)};
#define FRAME_OUT \
  STEP(PppOutput), STEP(GreOutput), STEP(OuterIpv4Output), STEP(TunnelRoute), STEP(EthernetOutput)
#define PERMITTED6                                                                       \
  STEP(HopLimit), STEP(Mtu6), STEP(MssClamp6), STEP(PoliceDownstream), STEP(SendWindow), \
      STEP(DownstreamAccount6), FRAME_OUT
constexpr NamedStep kDownstream6[] = {STEP(DownstreamCall6), STEP(Martian6), STEP(FilterDownstream),
                                      PERMITTED6};
constexpr NamedStep kDownstreamPermitted6[] = {PERMITTED6};
#undef PERMITTED6
constexpr NamedStep kKernel[] = {STEP(InnerIpv4), STEP(KernelInput)};
constexpr NamedStep kTransit[] = {STEP(Martian), STEP(Trim), STEP(Ttl), STEP(EthernetOutput)};
#define PERMITTED                                                                 \
  STEP(Ttl), STEP(Mtu), STEP(MssClamp), STEP(PoliceDownstream), STEP(SendWindow), \
      STEP(DownstreamAccount), FRAME_OUT
constexpr NamedStep kDownstream[] = {STEP(DownstreamCall), STEP(Martian), STEP(Trim),
                                     STEP(FilterDownstream), PERMITTED};
constexpr NamedStep kDownstreamPermitted[] = {PERMITTED};
#undef PERMITTED
constexpr NamedStep kFrameOut[] = {FRAME_OUT};
#undef FRAME_OUT
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
    List<kInput6>("input6"),
    List<kUpstream>("upstream"),
    List<kFrame>("frame"),
    Burst("mppe_decrypt", MppeDecryptBurst),
    List<kInner>("inner"),
    List<kInner6>("inner6"),
    Burst("filter_upstream", FilterUpstreamBurst),
    List<kUpstreamPermitted>("upstream_permitted"),
    List<kUpstreamPermitted6>("upstream_permitted6"),
    List<kKernel>("kernel"),
    List<kKernel6>("kernel6"),
    Burst("route", RouteBurst),
    List<kRoute6>("route6"),
    List<kTransit>("transit"),
    List<kTransit6>("transit6"),
    List<kDownstream>("downstream"),
    List<kDownstream6>("downstream6"),
    Burst("filter_downstream", FilterDownstreamBurst),
    List<kDownstreamPermitted>("downstream_permitted"),
    List<kDownstreamPermitted6>("downstream_permitted6"),
    Burst("mppe_encrypt", MppeEncryptBurst),
    List<kFrameOut>("frame_out"),
    List<kControl>("control"),
    List<kTunnel>("tunnel"),
    List<kEthernet>("ethernet"),
};

}  // namespace

const StageSteps& StepsOf(Stage stage) { return kStages[static_cast<size_t>(stage)]; }

}  // namespace culvert::dataplane
