#include "controlplane/radius/server_state/server_view.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <string>
#include <vector>

namespace culvert::radius {

namespace {

constexpr uint64_t kUsPerSecond = 1'000'000;
constexpr uint64_t kNsPerUs = 1000;

void SetDuration(uint64_t us, google::protobuf::Duration* duration) {
  duration->set_seconds(static_cast<int64_t>(us / kUsPerSecond));
  duration->set_nanos(static_cast<int32_t>(us % kUsPerSecond * kNsPerUs));
}

std::string EndpointOf(const ServerStats& stats) {
  const bool is_ipv6 = stats.address.find(':') != std::string::npos;
  return is_ipv6 ? absl::StrCat("[", stats.address, "]:", stats.port)
                 : absl::StrCat(stats.address, ":", stats.port);
}

uint64_t Replies(const ServerStats& stats, Code code) {
  return stats.replies[static_cast<size_t>(code)].load(std::memory_order_relaxed);
}

}  // namespace

std::optional<ResponseTimes> RecentTimes(const ServerStats& stats) {
  const uint64_t num_timed = stats.num_timed.load(std::memory_order_acquire);
  std::vector<uint32_t> times;
  for (size_t i = 0; i < std::min<uint64_t>(num_timed, ServerStats::kRecent); ++i) {
    times.push_back(stats.recent_us[i].load(std::memory_order_relaxed));
  }
  if (times.empty()) {
    return std::nullopt;
  }
  std::sort(times.begin(), times.end());
  // The smallest time that so many percent of the answers did not exceed.
  const auto at = [&times](size_t percent) {
    return times[(times.size() * percent + 99) / 100 - 1];
  };
  return ResponseTimes{.p50_us = at(50), .p99_us = at(99)};
}

uint64_t BadReplies(const ServerStats& stats) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    if (static_cast<DropReason>(i) != DropReason::kUnexpected) {
      sum += stats.drops[i].load(std::memory_order_relaxed);
    }
  }
  return sum;
}

management::v1::RadiusServer ToProto(const ServerStats& stats, uint64_t now_us) {
  using management::v1::RadiusServer;
  const auto value = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  RadiusServer server;
  server.set_name(stats.name);
  server.set_service(std::string(ServiceName(stats.service)));
  server.set_endpoint(EndpointOf(stats));
  server.set_state(stats.up.load(std::memory_order_relaxed) ? RadiusServer::ALIVE
                                                            : RadiusServer::DEAD);
  const uint64_t since_us = value(stats.up_changed_us);
  SetDuration(now_us > since_us ? now_us - since_us : 0, server.mutable_in_state());
  server.set_priority(stats.priority);
  server.set_weight(stats.weight);
  server.set_outstanding(value(stats.outstanding));
  server.set_requests(value(stats.requests));
  server.set_retransmissions(value(stats.retransmissions));
  server.set_accepts(Replies(stats, stats.service == Service::kAuthentication
                                        ? Code::kAccessAccept
                                        : Code::kAccountingResponse));
  server.set_rejects(Replies(stats, Code::kAccessReject));
  server.set_challenges(Replies(stats, Code::kAccessChallenge));
  server.set_timeouts(value(stats.timeouts));
  server.set_bad_replies(BadReplies(stats));
  if (const std::optional<ResponseTimes> times = RecentTimes(stats)) {
    SetDuration(times->p50_us, server.mutable_time_p50());
    SetDuration(times->p99_us, server.mutable_time_p99());
  }
  server.set_message_authenticator_seen(
      stats.message_authenticator_seen.load(std::memory_order_relaxed));
  return server;
}

}  // namespace culvert::radius
