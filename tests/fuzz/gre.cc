// The enhanced GRE header (RFC 2637 s4.1). Input: an IP payload.
#include "proto/wire/gre.h"

#include "tests/fuzz/property.h"

using culvert::fuzz::IsPrefix;
using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace gre = culvert::wire::gre;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets in(data, size);
  const auto header = gre::Parse(in);
  if (!header.has_value()) {
    return 0;
  }
  uint8_t emitted[gre::kMaxHeaderLen];
  const size_t len = gre::Emit(*header, emitted);
  Require(len == gre::HeaderLen(*header), "Emit writes HeaderLen octets");
  Require(IsPrefix({emitted, len}, in), "Emit(Parse(x)) == x");
  Require(!header->has_sequence || len + header->payload_len <= size,
          "the payload lies within the packet");
  return 0;
}
