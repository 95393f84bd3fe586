// EAP and EAP-MSCHAPv2 (RFC 3748, draft-kamath-pppext-eap-mschapv2). Input: an EAP packet.
#include "proto/wire/eap.h"

#include "tests/fuzz/property.h"

using culvert::fuzz::IsPrefix;
using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace eap = culvert::wire::eap;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets in(data, size);
  const auto packet = eap::Parse(in);
  if (!packet) {
    return 0;
  }
  Require(IsPrefix(eap::Emit(*packet), in), "EAP: Emit(Parse(x)) == x");
  if (const auto message = eap::mschapv2::Parse(packet->data)) {
    Require(message->op_code == packet->data.front(), "the op code is the first octet");
    const bool whole = message->identifier != 0 || !message->data.empty();
    Require(!whole || IsPrefix(eap::mschapv2::Emit(*message), packet->data),
            "EAP-MSCHAPv2: Emit(Parse(x)) == x");
  }
  return 0;
}
