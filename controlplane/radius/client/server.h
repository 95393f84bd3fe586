// What is configured about a RADIUS server, and what is counted about it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "controlplane/crypto/secret.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

enum class Service : uint8_t { kAuthentication, kAccounting };
[[nodiscard]] std::string_view ServiceName(Service service);

// MessageAuthenticatorPolicy: what an answer to an Access-Request must have (CVE-2024-3596).
enum class MessageAuthenticatorPolicy : uint8_t {
  kRequired,
  kAuto,  // required from the first one that this server sent
  kOff,
};

// Recovery: how it is found out that a dead server is back.
enum class Recovery : uint8_t { kStatusServer, kRequest };

struct ServerSettings {
  std::string name;
  std::string address;  // IPv4 or IPv6, as text
  uint16_t port = 0;    // of the service
  std::shared_ptr<const Secret> secret;
  uint32_t priority = 0;  // lower ones first
  uint32_t weight = 1;    // among servers of one priority; at least 1
  uint64_t dead_time_ms = 0;
  MessageAuthenticatorPolicy message_authenticator = MessageAuthenticatorPolicy::kAuto;
  Recovery recovery = Recovery::kStatusServer;
};

// DropReason: why what came from a server's address was not taken for an answer.
enum class DropReason : uint8_t {
  kMalformed,
  kUnexpected,  // no request waits for this identifier: late, repeated, or made up
  kWrongCode,
  kBadAuthenticator,
  kBadMessageAuthenticator,
  kNoMessageAuthenticator,
  kProxyState,  // we never send one
};
constexpr size_t kNumDropReasons = 7;
[[nodiscard]] std::string_view DropReasonName(DropReason reason);

// kLatencyBoundsUs: upper bounds, in microseconds; the last bucket has none.
constexpr std::array<uint64_t, 12> kLatencyBoundsUs = {
    500, 1000, 2000, 5000, 10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000, 5'000'000};

// ServerStats: the client's thread writes, any thread reads. Each value is right by itself; two of
// them may be of different moments.
struct ServerStats {
  std::string name, address;  // never change, as the next four
  uint16_t port = 0;
  Service service{};
  uint32_t priority = 0, weight = 1;
  std::atomic<uint64_t> requests{0};  // first transmissions, probes not among them
  std::atomic<uint64_t> retransmissions{0};
  std::atomic<uint64_t> timeouts{0};                // requests that this server left unanswered
  std::array<std::atomic<uint64_t>, 64> replies{};  // by code
  std::array<std::atomic<uint64_t>, kNumDropReasons> drops{};
  std::array<std::atomic<uint64_t>, kLatencyBoundsUs.size() + 1> latency{};
  std::atomic<uint64_t> latency_sum_us{0};
  std::atomic<uint64_t> unprotected_replies{0};  // taken without Message-Authenticator
  std::atomic<bool> message_authenticator_seen{false};
  std::atomic<uint64_t> outstanding{0};
  std::atomic<uint64_t> probes{0}, probe_replies{0};  // Status-Server to a dead server
  std::atomic<bool> up{true};
  std::atomic<uint64_t> up_changed_us{0};  // when `up` changed last, or when all began; steady
  // The last answers' times, in microseconds; the n-th answer is at n modulo their number.
  static constexpr size_t kRecent = 256;
  std::array<std::atomic<uint32_t>, kRecent> recent_us{};
  std::atomic<uint64_t> num_timed{0};

  void SetUp(bool now_up, uint64_t now_us) {
    up.store(now_up, std::memory_order_relaxed);
    up_changed_us.store(now_us, std::memory_order_relaxed);
  }
  void CountLatency(uint64_t us) {
    const uint64_t number = num_timed.load(std::memory_order_relaxed);
    recent_us[number % kRecent].store(static_cast<uint32_t>(std::min<uint64_t>(us, UINT32_MAX)),
                                      std::memory_order_relaxed);
    num_timed.store(number + 1, std::memory_order_release);
    size_t bucket = 0;
    while (bucket < kLatencyBoundsUs.size() && us > kLatencyBoundsUs[bucket]) {
      ++bucket;
    }
    latency[bucket].fetch_add(1, std::memory_order_relaxed);
    latency_sum_us.fetch_add(us, std::memory_order_relaxed);
  }
  void CountReply(Code code) {
    replies[static_cast<size_t>(code) % replies.size()].fetch_add(1, std::memory_order_relaxed);
  }
  void CountDrop(DropReason reason) {
    drops[static_cast<size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  }
};

}  // namespace culvert::radius
