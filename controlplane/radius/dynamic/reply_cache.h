// ReplyCache: requests that have come, and what was answered. One that comes again gets the same
// answer and is not carried out twice (RFC 5176 s2.3, s6.3). Bounded: the oldest go first. One
// thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "controlplane/radius/packet.h"
#include "proto/config/address/address6.h"

namespace culvert::radius {

// Source of a datagram; IPv4 addresses are mapped (::ffff:192.0.2.1).
struct Source {
  config::Ipv6Address address{};
  uint16_t port = 0;
  auto operator<=>(const Source&) const = default;
};

class ReplyCache {
 public:
  // How long a request is remembered: those with Event-Timestamp as long as it lets them in.
  static constexpr uint64_t kPlainMs = 30'000;
  static constexpr uint64_t kTimestampedMs = 601'000;

  explicit ReplyCache(size_t max_entries) : max_entries_(max_entries) {}

  enum class Seen : uint8_t {
    kNew,
    kUnanswered,  // its answer is still to come
    kAnswered,    // `reply` is the answer
    // From another port: a sender begins anew there, unless the request has a timestamp. Then
    // somebody has kept it.
    kReplayed,
  };
  // See takes a request in when it is new. Only for requests with a right authenticator.
  Seen See(const Source& source, const Packet& packet, uint64_t now_ms,
           std::vector<uint8_t>* reply);
  // Answer keeps the answer to a request that is there still.
  void Answer(const Source& source, uint8_t identifier, const AuthenticatorOctets& authenticator,
              const std::vector<uint8_t>& reply);

  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Key {
    config::Ipv6Address address{};
    uint8_t identifier = 0;
    AuthenticatorOctets authenticator{};
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    uint16_t port = 0;
    uint64_t number = 0;
    std::vector<uint8_t> reply;  // empty: none yet
  };
  struct Age {
    uint64_t until_ms;
    uint64_t number;
    Key key;
  };

  void Forget(std::deque<Age>& ages);
  void Expire(uint64_t now_ms);

  const size_t max_entries_;
  uint64_t last_number_ = 0;
  std::map<Key, Entry> entries_;
  std::deque<Age> plain_, timestamped_;  // each in the order in which they expire
};

}  // namespace culvert::radius
