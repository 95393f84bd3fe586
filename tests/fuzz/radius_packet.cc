// RADIUS packets and what they hide. Input: a packet as it comes from the network.
#include <array>
#include <string_view>

#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/hiding.h"
#include "controlplane/radius/packet.h"
#include "controlplane/radius/signing.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Equal;
using culvert::fuzz::IsPrefix;
using culvert::fuzz::Require;
using culvert::radius::Octets;
namespace radius = culvert::radius;
namespace attr = radius::attr;

namespace {

constexpr std::array<uint8_t, 10> kSecret = {'t', 'e', 's', 't', 'i', 'n', 'g', '1', '2', '3'};
constexpr radius::AuthenticatorOctets kAuthenticator = {0, 1, 2,  3,  4,  5,  6,  7,
                                                        8, 9, 10, 11, 12, 13, 14, 15};

void CheckValues(const radius::Packet& packet) {
  for (const radius::Attribute& attribute : packet.attributes) {
    const Octets value = attribute.value;
    Require(value.size() <= radius::kMaxValueLen, "a value fits into an attribute");
    if (const auto prefix = radius::Ipv6PrefixOf(value)) {
      radius::AttributeList list;
      list.AddIpv6Prefix(attr::kFramedIpv6Prefix, prefix->address, prefix->length);
      Require(!list.error() && list.octets().size() <= value.size() + 2, "a prefix is written");
    }
    (void)radius::TaggedIntegerOf(value);
    Require(radius::TaggedTextOf(value).value.size() + 1 >= value.size(), "a tag is one octet");
    if (const auto key = radius::RevealKey(value, kSecret, kAuthenticator)) {
      Require(!key->empty() && key->octets().size() < value.size() - 2, "keys have their length");
    }
    if (const auto keys = radius::RevealChapMppeKeys(value, kSecret, kAuthenticator)) {
      Require(Equal(*radius::HideChapMppeKeys(keys->lm_key.octets(), keys->nt_key.octets(), kSecret,
                                              kAuthenticator),
                    value),
              "MS-CHAP-MPPE-Keys hide to what they were");
    }
    if (const auto password = radius::RevealPassword(value, kSecret, kAuthenticator)) {
      Require(Equal(*radius::HidePassword(password->octets(), kSecret, kAuthenticator), value),
              "passwords hide to what they were");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets in(data, size);
  const auto packet = radius::Parse(in);
  if (!packet) {
    Require(!radius::ErrorText(packet.error()).empty(), "an error has a text");
    return 0;
  }
  Require(IsPrefix(packet->octets, in), "a packet is the front of what came");
  CheckValues(*packet);
  const auto list = radius::AttributeList::FromOctets(packet->octets.subspan(radius::kHeaderLen));
  Require(list.has_value(), "attributes of a packet make a list");
  Require(!radius::IsSignedRequest(*packet, kSecret) || packet->code != radius::Code::kStatusServer,
          "Status-Server is not signed that way");
  (void)radius::CheckRequestMessageAuthenticator(*packet, kSecret);
  const auto reply =
      radius::BuildReply(radius::Code::kAccessAccept, *packet, *list, false, kSecret);
  Require(reply.has_value(), "what came once can be sent");
  const auto again = radius::Parse(*reply);
  Require(again && again->attributes.size() == packet->attributes.size() &&
              radius::IsSignedReply(*again, packet->authenticator, kSecret),
          "a reply with the same attributes is one");
  return 0;
}
