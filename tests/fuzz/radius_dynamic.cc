// CoA and Disconnect. Input: code, identifier, then attributes as a client would sign them; the
// same octets also go in as they are.
#include <algorithm>
#include <array>

#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/dynamic/dynamic_server.h"
#include "controlplane/radius/signing.h"
#include "tests/fuzz/property.h"

using culvert::fuzz::Require;
using culvert::radius::Octets;
namespace radius = culvert::radius;
namespace attr = radius::attr;

namespace {

constexpr std::array<uint8_t, 6> kSecret = {'s', 'e', 'c', 'r', 'e', 't'};
constexpr uint64_t kNowMs = 1'000'000;
constexpr int64_t kUnixS = 1'800'000'000;

radius::DynamicServer MakeServer() {
  radius::DynamicSettings settings;
  settings.clients.push_back({.from = {}, .secret = culvert::Secret(kSecret)});
  settings.nas.identifier = "culvert";
  return radius::DynamicServer(std::move(settings));
}

void CheckReply(const std::vector<uint8_t>& reply, const radius::Packet& request) {
  const auto packet = radius::Parse(reply);
  Require(packet.has_value(), "a reply is a packet");
  Require(radius::IsSignedReply(*packet, request.authenticator, kSecret), "a reply is signed");
  Require(packet->Count(attr::kProxyState) == request.Count(attr::kProxyState) &&
              packet->Count(attr::kState) == request.Count(attr::kState),
          "State and Proxy-State come back");
  const bool ack =
      packet->code == radius::Code::kCoaAck || packet->code == radius::Code::kDisconnectAck;
  Require(ack == (packet->Find(attr::kErrorCause) == nullptr), "a NAK says why");
}

void SendSigned(radius::Code code, uint8_t identifier, const radius::AttributeList& attributes) {
  const auto request =
      radius::BuildRequest({.code = code, .identifier = identifier}, attributes, kSecret);
  if (!request) {
    return;
  }
  radius::DynamicServer server = MakeServer();
  const radius::Packet packet = *radius::Parse(*request);
  auto effect = server.OnDatagram(*request, {}, kNowMs, kUnixS);
  if (effect.dropped) {
    Require(effect.reply.empty() && !effect.order, "what is dropped has no effect");
    Require(*effect.dropped == radius::Dropped::kMessageAuthenticator ||
                *effect.dropped == radius::Dropped::kTimestamp,
            "a signed request is dropped for these only");
    return;
  }
  std::vector<uint8_t> reply = effect.reply;
  if (effect.order) {
    Require(!effect.order->session.empty, "an order is about somebody");
    Require(culvert::Check(effect.order->change).ok(), "a change can be made");
    Require(!effect.order->disconnect || packet.code == radius::Code::kDisconnectRequest,
            "an order is what was asked for");
    reply = server.Finish(effect.ticket, std::nullopt).reply;
  }
  if (reply.empty()) {
    return;  // all Proxy-State: nothing fits beside it
  }
  CheckReply(reply, packet);
  const auto again = server.OnDatagram(*request, {}, kNowMs + 1, kUnixS);
  Require(!again.order && again.reply == reply, "a retransmission gets the same answer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Octets in(data, size);
  radius::DynamicServer server = MakeServer();
  const auto effect = server.OnDatagram(in, {}, kNowMs, kUnixS);
  Require(effect.dropped || effect.order || !effect.reply.empty(), "something becomes of it");
  if (size < 2) {
    return 0;
  }
  const auto code = data[0] % 2 == 0 ? radius::Code::kCoaRequest : radius::Code::kDisconnectRequest;
  // Message-Authenticator is BuildRequest's.
  const auto attributes = radius::AttributeList::FromOctets(in.subspan(2));
  if (attributes) {
    SendSigned(code, data[1], *attributes);
  }
  return 0;
}
