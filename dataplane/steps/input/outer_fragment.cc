#include "dataplane/steps/input/outer_fragment.h"

#include <optional>

#include "proto/wire/gre.h"

namespace culvert::dataplane {
namespace {

// CheckCall looks at the call that a first fragment names, which may be another worker's.
std::optional<DropReason> CheckCall(const Packet& packet, const uint8_t* gre, uint32_t slot,
                                    const WorkerContext& context) {
  constexpr size_t kCallId = 6;
  const Call& call = context.calls->At(CallTable::Index(slot, wire::LoadBe16(gre + kCallId)));
  if (Load(call.generation, std::memory_order_acquire) == 0) {
    return DropReason::call_unknown;
  }
  if (Load(call.peer_address) != packet.ip.source) {
    return DropReason::call_wrong_peer;
  }
  return std::nullopt;
}

// Release sends the whole packet on its way.
void Release(rte_mbuf* whole, uint32_t slot, WorkerContext* context) {
  Packet& packet = PacketOf(whole);
  const wire::Octets octets{packet.data() + kEthernetHeaderLen,
                            static_cast<size_t>(packet.data_len() - kEthernetHeaderLen)};
  packet.ip = *wire::ip::ParseIpv4(octets);  // Reassembly wrote it
  packet.call_index = CallTable::Index(slot, 0);
  packet.offset = static_cast<uint16_t>(kEthernetHeaderLen + packet.ip.header_len);
  packet.length = static_cast<uint16_t>(packet.ip.total_len - packet.ip.header_len);
  context->Spawn(Stage::kGre, packet);
}

DropReason ReasonOf(Reassembly::Outcome outcome) {
  switch (outcome) {
    case Reassembly::Outcome::kDuplicate:
      return DropReason::outer_fragment_duplicate;
    case Reassembly::Outcome::kOverlap:
      return DropReason::outer_fragment_overlap;
    case Reassembly::Outcome::kFull:
      return DropReason::outer_fragment_full;
    default:
      return DropReason::outer_fragment_bad;
  }
}

}  // namespace

Verdict OuterFragment(Packet& packet, uint32_t slot, WorkerContext& context) {
  if (packet.ip.IsFirstFragment()) {
    if (packet.ip.total_len - packet.ip.header_len < Reassembly::kMinFirstPayload) {
      return Verdict::Drop(DropReason::outer_fragment_bad);
    }
    const uint8_t* gre = packet.data() + kEthernetHeaderLen + packet.ip.header_len;
    if (const auto reason = CheckCall(packet, gre, slot, context)) {
      return Verdict::Drop(*reason);
    }
  }
  const auto result =
      context.reassembly->Add(packet.mbuf(), packet.ip, kEthernetHeaderLen, context.now_ms);
  if (result.evicted) {
    context.Count(DropReason::outer_fragment_evicted);
  }
  switch (result.outcome) {
    case Reassembly::Outcome::kHeld:
      return Verdict::Hold();
    case Reassembly::Outcome::kComplete:
      Release(result.whole, slot, &context);
      return Verdict::Consume();
    case Reassembly::Outcome::kCopied:
      return Verdict::Consume();
    default:
      return Verdict::Drop(ReasonOf(result.outcome));
  }
}

void ExpireOuterFragments(WorkerContext* context) {
  for (unsigned num = context->reassembly->Expire(context->now_ms); num > 0; --num) {
    context->Count(DropReason::outer_fragment_timeout);
  }
}

}  // namespace culvert::dataplane
