// What is done for packets that wait for others to go through MPPE with them.
#include <algorithm>

#include "dataplane/worker/worker.h"

namespace culvert::dataplane {

// KeepReserved: packets that wait to be encrypted have their room in the peer's window still.
void Worker::KeepReserved() {
  const Queue& queue = stages_[static_cast<unsigned>(Stage::kEncrypt)];
  for (unsigned i = 0; i < queue.num; ++i) {
    const Packet& packet = PacketOf(queue.mbufs[i]);
    if ((packet.call->features & kFeatureSendWindow) != 0) {
      context_.calls->SendWindowOf(packet.call_index)
          .Keep(packet.call->more().send_sequence, context_.round());
    }
  }
}

// RunWaiting is for what follows packets: calls that change, a worker with nothing to do.
void Worker::RunWaiting() {
  more_ = false;
  if (std::ranges::any_of(kCryptStages, [this](Stage stage) {
        return stages_[static_cast<unsigned>(stage)].num > 0;
      })) {
    RunStages();
  }
}

void Worker::RunWaitingTooLong() {
  if (!more_ || std::ranges::any_of(kCryptStages, [this](Stage stage) {
        return stages_[static_cast<unsigned>(stage)].waited;
      })) {
    RunWaiting();
  }
}

}  // namespace culvert::dataplane
