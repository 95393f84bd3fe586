// PAP and CHAP (RFC 1334, RFC 1994, RFC 2433, RFC 2759). Input: what follows the four octets of
// the control packet.
#include "proto/wire/auth.h"

#include "tests/fuzz/property.h"

using culvert::fuzz::Equal;
using culvert::fuzz::IsPrefix;
using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace pap = culvert::wire::pap;
namespace chap = culvert::wire::chap;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets in(data, size);
  if (const auto request = pap::ParseRequest(in)) {
    Require(IsPrefix(pap::EmitRequest(*request), in), "PAP request: Emit(Parse(x)) == x");
  }
  if (const auto message = pap::ParseReply(in)) {
    Require(IsPrefix(pap::EmitReply(*message), in), "PAP reply: Emit(Parse(x)) == x");
  }
  Require(chap::ParseChangePassword(in).has_value() == (size == chap::kChangePasswordLen),
          "Change-Password has 582 octets");
  if (const auto value = chap::ParseValue(in)) {
    Require(Equal(chap::EmitValue(*value), in), "CHAP value: Emit(Parse(x)) == x");
    const bool right_len = value->value.size() == chap::kMsChapResponseLen;
    Require(chap::ParseMsChapResponse(value->value).has_value() == right_len &&
                chap::ParseMsChapV2Response(value->value).has_value() == right_len,
            "MS-CHAP responses have 49 octets");
  }
  return 0;
}
