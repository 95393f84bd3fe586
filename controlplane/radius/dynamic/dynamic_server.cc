#include "controlplane/radius/dynamic/dynamic_server.h"

#include <cstdlib>
#include <utility>

#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/signing.h"

namespace culvert::radius {

std::string_view DroppedName(Dropped dropped) {
  switch (dropped) {
    case Dropped::kStranger:
      return "stranger";
    case Dropped::kMalformed:
      return "malformed";
    case Dropped::kWrongCode:
      return "wrong-code";
    case Dropped::kBadAuthenticator:
      return "bad-authenticator";
    case Dropped::kMessageAuthenticator:
      return "message-authenticator";
    case Dropped::kTimestamp:
      return "event-timestamp";
    case Dropped::kDuplicate:
      return "duplicate";
    case Dropped::kReplay:
      return "replay";
  }
  return "other";
}

DynamicServer::DynamicServer(DynamicSettings settings) : settings_(std::move(settings)) {}

const DynamicClient* DynamicServer::ClientOf(const config::Ipv6Address& address) const {
  const DynamicClient* best = nullptr;
  for (const DynamicClient& client : settings_.clients) {
    if (client.from.Contains(address) &&
        (best == nullptr || client.from.length > best->from.length)) {
      best = &client;
    }
  }
  return best;
}

DynamicServer::Effect DynamicServer::Drop(Dropped dropped) {
  ++counters_.dropped[static_cast<size_t>(dropped)];
  return {.reply = {}, .order = {}, .ticket = 0, .dropped = dropped};
}

std::optional<Dropped> DynamicServer::Check(const Packet& packet, const DynamicClient& client,
                                            int64_t unix_s) const {
  if (packet.code != Code::kCoaRequest && packet.code != Code::kDisconnectRequest) {
    return Dropped::kWrongCode;
  }
  const Octets secret = client.secret.octets();
  if (!IsSignedRequest(packet, secret)) {
    return Dropped::kBadAuthenticator;
  }
  const MessageAuthenticatorCheck check = CheckRequestMessageAuthenticator(packet, secret);
  if (check == MessageAuthenticatorCheck::kInvalid ||
      (check == MessageAuthenticatorCheck::kAbsent && client.require_message_authenticator)) {
    return Dropped::kMessageAuthenticator;
  }
  const Attribute* stamp = packet.Find(attr::kEventTimestamp);
  if (stamp == nullptr) {
    return client.require_event_timestamp ? std::optional(Dropped::kTimestamp) : std::nullopt;
  }
  const std::optional<uint32_t> time_s = IntegerOf(stamp->value);
  if (!time_s || std::llabs(int64_t{*time_s} - unix_s) > kWindowS) {
    return Dropped::kTimestamp;
  }
  return std::nullopt;
}

DynamicServer::Effect DynamicServer::OnDatagram(Octets datagram, const Source& source,
                                                uint64_t now_ms, int64_t unix_s) {
  const DynamicClient* client = ClientOf(source.address);
  if (client == nullptr) {
    return Drop(Dropped::kStranger);
  }
  const auto packet = Parse(datagram);
  if (!packet) {
    return Drop(Dropped::kMalformed);
  }
  if (const std::optional<Dropped> dropped = Check(*packet, *client, unix_s)) {
    return Drop(*dropped);
  }
  Effect effect;
  switch (cache_.See(source, *packet, now_ms, &effect.reply)) {
    case ReplyCache::Seen::kAnswered:
      ++counters_.repeated;
      return effect;
    case ReplyCache::Seen::kUnanswered:
      return Drop(Dropped::kDuplicate);
    case ReplyCache::Seen::kReplayed:
      return Drop(Dropped::kReplay);
    case ReplyCache::Seen::kNew:
      break;
  }
  const bool disconnect = packet->code == Code::kDisconnectRequest;
  ++(disconnect ? counters_.disconnect_requests : counters_.coa_requests);
  tl::expected<Order, ErrorCause> order = ReadOrder(*packet, settings_.nas);
  if (!order) {
    effect.reply = Reply(*packet, source, *client, order.error());
    return effect;
  }
  if (pending_.size() >= kMaxPending) {
    effect.reply = Reply(*packet, source, *client, ErrorCause::kResourcesUnavailable);
    return effect;
  }
  effect.order = std::move(*order);
  effect.ticket = ++last_ticket_;
  pending_.emplace(effect.ticket,
                   Pending{source, {packet->octets.begin(), packet->octets.end()}, client});
  return effect;
}

void DynamicServer::CountReply(bool disconnect, std::optional<ErrorCause> refused) {
  if (refused) {
    ++counters_.refused[*refused];
    ++(disconnect ? counters_.disconnect_naks : counters_.coa_naks);
  } else {
    ++(disconnect ? counters_.disconnect_acks : counters_.coa_acks);
  }
}

std::vector<uint8_t> DynamicServer::Reply(const Packet& request, const Source& source,
                                          const DynamicClient& client,
                                          std::optional<ErrorCause> refused) {
  const bool disconnect = request.code == Code::kDisconnectRequest;
  CountReply(disconnect, refused);
  AttributeList attributes;
  if (refused) {
    attributes.AddInteger(attr::kErrorCause, static_cast<uint32_t>(*refused));
  }
  for (const Attribute& attribute : request.attributes) {
    // RFC 5176 s3.1, s3.3: these go back as they came, and in their order.
    if (attribute.id == attr::kState || attribute.id == attr::kProxyState) {
      attributes.Add(attribute.id, attribute.value);
    }
  }
  const Code ack = disconnect ? Code::kDisconnectAck : Code::kCoaAck;
  const Code nak = disconnect ? Code::kDisconnectNak : Code::kCoaNak;
  // As the client does: it may not know Message-Authenticator in these packets.
  const bool sign = request.Find(attr::kMessageAuthenticator) != nullptr;
  const auto reply =
      BuildReply(refused ? nak : ack, request, attributes, sign, client.secret.octets());
  if (!reply) {
    return {};  // the request was full of Proxy-State: nothing fits beside it
  }
  cache_.Answer(source, request.identifier, request.authenticator, *reply);
  return *reply;
}

DynamicServer::Answer DynamicServer::Finish(uint64_t ticket, std::optional<ErrorCause> refused) {
  const auto it = pending_.find(ticket);
  if (it == pending_.end()) {
    return {};
  }
  const Pending pending = std::move(it->second);
  pending_.erase(it);
  const auto packet = Parse(pending.request);  // it was well-formed when it came
  return {.source = pending.source,
          .reply = Reply(*packet, pending.source, *pending.client, refused)};
}

}  // namespace culvert::radius
