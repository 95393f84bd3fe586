#include "dataplane/steps/downstream/ccp_reset_frame.h"

#include "dataplane/call/call.h"

namespace culvert::dataplane {

void SpawnCcpReset(wire::ppp::Code code, uint8_t identifier, const Packet* of,
                   WorkerContext* context) {
  constexpr uint16_t kLen = 6;
  rte_mbuf* mbuf = rte_pktmbuf_alloc(context->mbufs);
  if (mbuf == nullptr) {
    context->Count(DropReason::no_buffer);
    return;
  }
  auto* at = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(mbuf, kLen));
  wire::StoreBe16(at, wire::ppp::kCcp);
  at[2] = code;
  at[3] = identifier;
  wire::StoreBe16(at + 4, kLen - 2);
  Packet& packet = ResetPacket(mbuf);
  packet.call_index = of->call_index;
  packet.generation = of->call->generation;
  context->Spawn(Stage::kControl, packet);
}

}  // namespace culvert::dataplane
