#include "dataplane/steps/downstream/acknowledgement.h"

namespace culvert::dataplane {

void SpawnAcknowledgement(Call* call, uint32_t call_index, WorkerContext* context) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(context->mbufs);
  if (mbuf == nullptr) {
    context->Count(DropReason::no_buffer);
    return;
  }
  Packet& packet = ResetPacket(mbuf);
  packet.call = call;
  packet.call_index = call_index;
  packet.downstream = true;
  context->Spawn(Stage::kTunnel, packet);  // without a number or payload
}

}  // namespace culvert::dataplane
