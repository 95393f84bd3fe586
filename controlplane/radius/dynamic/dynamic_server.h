// DynamicServer: the protocol of CoA and Disconnect (RFC 5176), without sockets: datagrams and
// times in, orders and answers out. What cannot be trusted is dropped without an answer and
// counted. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "controlplane/crypto/secret.h"
#include "controlplane/radius/dynamic/order.h"
#include "controlplane/radius/dynamic/reply_cache.h"

namespace culvert::radius {

// DynamicClient may send requests.
struct DynamicClient {
  config::Ipv6Prefix from;  // IPv4 mapped: 96 bits more
  Secret secret;
  bool require_message_authenticator = false;
  bool require_event_timestamp = false;
};

struct DynamicSettings {
  std::vector<DynamicClient> clients;  // the longest prefix counts
  NasIdentity nas;
};

// Dropped: why a datagram got no answer.
enum class Dropped : uint8_t {
  kStranger,  // not from a client of ours
  kMalformed,
  kWrongCode,             // neither CoA-Request nor Disconnect-Request
  kBadAuthenticator,      // not made with the client's secret
  kMessageAuthenticator,  // wrong, or missing where it is required
  kTimestamp,             // too old or too new, or missing where it is required
  kDuplicate,             // the answer to the first one is still to come
  kReplay,
};
constexpr size_t kNumDropped = 8;
[[nodiscard]] std::string_view DroppedName(Dropped dropped);

// DynamicCounters: one writer, any reader takes a copy on the writer's thread.
struct DynamicCounters {
  std::array<uint64_t, kNumDropped> dropped{};
  uint64_t disconnect_requests = 0, disconnect_acks = 0, disconnect_naks = 0;
  uint64_t coa_requests = 0, coa_acks = 0, coa_naks = 0;
  uint64_t repeated = 0;                   // answered from memory
  std::map<ErrorCause, uint64_t> refused;  // NAKs by cause
};

class DynamicServer {
 public:
  static constexpr size_t kMaxPending = 4096;  // orders under way; more are refused
  static constexpr size_t kMaxRemembered = 65536;
  static constexpr int64_t kWindowS = 300;

  explicit DynamicServer(DynamicSettings settings);

  // What a datagram leads to: a reply to its source, an order, or nothing.
  struct Effect {
    std::vector<uint8_t> reply;  // empty: none
    std::optional<Order> order;  // to be carried out; then Finish() is due
    uint64_t ticket = 0;         // of the order
    std::optional<Dropped> dropped;
  };
  // OnDatagram: `now_ms` is steady, `unix_s` is for Event-Timestamp.
  Effect OnDatagram(Octets datagram, const Source& source, uint64_t now_ms, int64_t unix_s);

  // Finish answers an order: nullopt is ACK. Each ticket once.
  struct Answer {
    Source source;
    std::vector<uint8_t> reply;
  };
  [[nodiscard]] Answer Finish(uint64_t ticket, std::optional<ErrorCause> refused);

  [[nodiscard]] const DynamicCounters& counters() const { return counters_; }

 private:
  struct Pending {
    Source source;
    std::vector<uint8_t> request;
    const DynamicClient* client;
  };

  [[nodiscard]] const DynamicClient* ClientOf(const config::Ipv6Address& address) const;
  [[nodiscard]] std::optional<Dropped> Check(const Packet& packet, const DynamicClient& client,
                                             int64_t unix_s) const;
  [[nodiscard]] std::vector<uint8_t> Reply(const Packet& request, const Source& source,
                                           const DynamicClient& client,
                                           std::optional<ErrorCause> refused);
  void CountReply(bool disconnect, std::optional<ErrorCause> refused);
  Effect Drop(Dropped dropped);

  const DynamicSettings settings_;
  ReplyCache cache_{kMaxRemembered};
  std::map<uint64_t, Pending> pending_;  // by ticket
  uint64_t last_ticket_ = 0;
  DynamicCounters counters_;
};

}  // namespace culvert::radius
