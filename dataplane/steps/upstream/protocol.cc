#include "dataplane/steps/upstream/punt.h"
#include "dataplane/steps/upstream/punt_bucket.h"
#include "proto/wire/ppp.h"

namespace culvert::dataplane {
namespace {

// Network-layer data (RFC 1661 s2): what CCP compresses and MPPE encrypts.
constexpr bool IsData(uint16_t protocol) { return protocol < 0x4000; }

}  // namespace

Verdict PuntToControl(Packet* packet, const WorkerContext& context) {
  if (!TakePuntToken(packet->call, context)) {
    return Verdict::Drop(DropReason::punt_rate);
  }
  // The control plane gets both octets of the protocol, whichever form they had: before
  // the information there were a GRE header and that field.
  packet->offset = static_cast<uint16_t>(packet->offset - 2);
  packet->length = static_cast<uint16_t>(packet->length + 2);
  wire::StoreBe16(packet->payload().data(), packet->protocol);
  packet->generation = packet->call->generation;
  return Verdict::PuntFrame();
}

namespace {

Verdict OtherProtocol(Packet* packet, const WorkerContext& context) {
  if (packet->protocol == wire::ppp::kIpv6) {
    const CallPrefixes* prefixes = context.prefixes->Find(packet->call_index);
    if (prefixes != nullptr && prefixes->has_ipv6) {
      return Verdict::GoTo(Stage::kInner6);
    }
  }
  return PuntToControl(packet, context);
}

}  // namespace

// RFC 1661 s2; RFC 3078 s9 for data in clear. Data of protocols that we lack goes to the control
// plane as well, which answers with Protocol-Reject.
Verdict ProtocolStep(Packet& packet, WorkerContext& context) {
  if (packet.protocol == 0) {
    return Verdict::Consume();
  }
  const Call& call = *packet.call;
  if (IsData(packet.protocol) && !packet.encrypted &&
      (call.require_encryption != 0 || call.decrypts != 0)) {
    return Verdict::Drop(DropReason::clear_data);
  }
  if (packet.protocol != wire::ppp::kIpv4) {
    return OtherProtocol(&packet, context);
  }
  if (call.client_address == 0) {
    return Verdict::Drop(DropReason::no_client_address);
  }
  return Verdict::Next();
}

}  // namespace culvert::dataplane
