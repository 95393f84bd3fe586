#include "dataplane/filter/judge_burst.h"

#include <array>
#include <bit>

#include "dataplane/filter/filter_table.h"

namespace culvert::dataplane {
namespace {

constexpr size_t kMaxBurst = FilterPart::kMaxKeys;

bool IsIpv6(Packet& packet) { return *packet.data() >> 4 == 6; }

// Burst: the keys of a burst's packets, and who judges each; null: dropped at once.
struct Burst {
  std::array<FilterKey, kMaxBurst> keys;
  std::array<const FilterPart*, kMaxBurst> parts;
};

const FilterPart* PartOf(Packet& packet, bool upstream, const WorkerContext& context,
                         FilterKey* key) {
  const Filter* filter = context.filters->Find(packet.call->more().filter);
  const bool ipv6 = IsIpv6(packet);
  const wire::Octets octets{packet.data(), packet.ip.total_len};
  const bool has_key = ipv6 ? MakeIpv6Key(octets, key) : MakeIpv4Key(octets, packet.ip, key);
  return filter != nullptr && has_key ? &filter->part(upstream, ipv6) : nullptr;
}

// JudgeTogether has all packets judged at once that have the part of packet `first`; gives them as
// bits.
uint64_t JudgeTogether(const Burst& burst, uint64_t waiting, unsigned first, uint64_t* permitted) {
  const FilterKey* keys[kMaxBurst];
  uint8_t from[kMaxBurst];
  bool may_pass[kMaxBurst];
  size_t num = 0;
  uint64_t taken = 0;
  for (uint64_t rest = waiting; rest != 0; rest &= rest - 1) {
    const auto i = static_cast<unsigned>(std::countr_zero(rest));
    if (burst.parts[i] == burst.parts[first]) {
      from[num] = static_cast<uint8_t>(i);
      keys[num++] = &burst.keys[i];
      taken |= uint64_t{1} << i;
    }
  }
  burst.parts[first]->Judge({keys, num}, may_pass);
  for (size_t i = 0; i < num; ++i) {
    *permitted |= uint64_t{may_pass[i]} << from[i];
  }
  return taken;
}

}  // namespace

void JudgeBurst(std::span<rte_mbuf* const> mbufs, const FilterDirection& direction,
                Verdict* verdicts, const WorkerContext& context) {
  static_assert(kMaxBurst == 64);
  Burst burst;
  uint64_t waiting = 0;
  for (unsigned i = 0; i < mbufs.size(); ++i) {
    burst.parts[i] = PartOf(PacketOf(mbufs[i]), direction.upstream, context, &burst.keys[i]);
    waiting |= uint64_t{burst.parts[i] != nullptr} << i;
  }
  uint64_t permitted = 0;
  while (waiting != 0) {
    waiting &= ~JudgeTogether(burst, waiting, static_cast<unsigned>(std::countr_zero(waiting)),
                              &permitted);
  }
  for (unsigned i = 0; i < mbufs.size(); ++i) {
    const bool ipv6 = IsIpv6(PacketOf(mbufs[i]));
    verdicts[i] = (permitted >> i & 1) == 0
                      ? Verdict::Drop(direction.filtered)
                      : Verdict::GoTo(ipv6 ? direction.permitted6 : direction.permitted);
  }
}

}  // namespace culvert::dataplane
