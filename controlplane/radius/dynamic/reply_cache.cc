#include "controlplane/radius/dynamic/reply_cache.h"

namespace culvert::radius {

void ReplyCache::Forget(std::deque<Age>& ages) {
  const auto it = entries_.find(ages.front().key);
  if (it != entries_.end() && it->second.number == ages.front().number) {
    entries_.erase(it);
  }
  ages.pop_front();
}

void ReplyCache::Expire(uint64_t now_ms) {
  for (std::deque<Age>* ages : {&plain_, &timestamped_}) {
    while (!ages->empty() && ages->front().until_ms <= now_ms) {
      Forget(*ages);
    }
  }
  while (plain_.size() + timestamped_.size() >= max_entries_) {
    Forget(plain_.empty() ? timestamped_ : plain_);
  }
}

ReplyCache::Seen ReplyCache::See(const Source& source, const Packet& packet, uint64_t now_ms,
                                 std::vector<uint8_t>* reply) {
  Expire(now_ms);
  const bool timestamped = packet.Find(attr::kEventTimestamp) != nullptr;
  const Key key{source.address, packet.identifier, packet.authenticator};
  const auto [it, is_new] = entries_.try_emplace(key);
  if (!is_new && it->second.port == source.port) {
    *reply = it->second.reply;
    return reply->empty() ? Seen::kUnanswered : Seen::kAnswered;
  }
  if (!is_new && timestamped) {
    return Seen::kReplayed;
  }
  it->second = {.port = source.port, .number = ++last_number_, .reply = {}};
  (timestamped ? timestamped_ : plain_)
      .push_back({now_ms + (timestamped ? kTimestampedMs : kPlainMs), last_number_, key});
  return Seen::kNew;
}

void ReplyCache::Answer(const Source& source, uint8_t identifier,
                        const AuthenticatorOctets& authenticator,
                        const std::vector<uint8_t>& reply) {
  const auto it = entries_.find({source.address, identifier, authenticator});
  if (it != entries_.end() && it->second.port == source.port) {
    it->second.reply = reply;
  }
}

}  // namespace culvert::radius
