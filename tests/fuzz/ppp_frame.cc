// PPP frames, control packets and options (RFC 1661 s2, s5). Input: a GRE payload.
#include "proto/wire/ppp.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Equal;
using culvert::fuzz::IsPrefix;
using culvert::fuzz::Require;
using culvert::wire::Octets;
namespace ppp = culvert::wire::ppp;

namespace {

void CheckOptions(Octets data) {
  const auto options = ppp::ParseOptions(data);
  if (!options.has_value()) {
    return;
  }
  ppp::OptionList list;
  for (const ppp::Option& option : *options) {
    list.Add(option.type, option.value);
  }
  Require(Equal(list.octets(), data), "options are emitted as they were parsed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets in(data, size);
  const auto frame = ppp::ParseFrame(in);
  if (!frame.has_value()) {
    return 0;
  }
  Require((frame->protocol & 0x0101) == 0x0001, "protocols have the parity of RFC 1661 s2");
  Require(frame->information.data() + frame->information.size() == data + size,
          "the information goes to the end of the frame");
  const auto packet = ppp::ParseControl(frame->information);
  if (!packet.has_value()) {
    return 0;
  }
  const auto emitted =
      ppp::EmitControl(frame->protocol, packet->code, packet->identifier, packet->data);
  Require(IsPrefix(Octets(emitted).subspan(2), frame->information), "Emit(Parse(x)) == x");
  const auto again = ppp::ParseFrame(emitted);
  Require(again.has_value() && again->protocol == frame->protocol, "the protocol is emitted");
  CheckOptions(packet->data);
  return 0;
}
