#include "controlplane/management/calls_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "controlplane/logging/printable.h"
#include "proto/config/address/address.h"

namespace culvert {
namespace {

using management::v1::CallEvent;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint32_t kMinCountersIntervalMs = 200;
// How soon a watch sees that its client has gone.
constexpr milliseconds kCancelPoll(200);
constexpr std::chrono::seconds kChangeTimeout(5);

grpc::Status Invalid(const std::string& field, const std::string& value, const char* allowed) {
  return {grpc::StatusCode::INVALID_ARGUMENT,
          fmt::format("{}: \"{}\" is not {}", field, Printable(value), allowed)};
}

// ParseFilter names the field that is wrong.
tl::expected<CallFilter, grpc::Status> ParseFilter(const management::v1::Filter& message) {
  CallFilter filter;
  if (!message.id().empty()) {
    filter.id = ParseCallId(message.id());
    if (!filter.id) {
      return tl::unexpected(Invalid("filter.id", message.id(), "a call's id: 16 hex digits"));
    }
  }
  if (!message.user().empty()) filter.user = message.user();
  constexpr char kAddress[] = "an IPv4 address such as 192.0.2.1";
  if (!message.peer_address().empty()) {
    filter.peer_address = config::ParseIpv4(message.peer_address());
    if (!filter.peer_address) {
      return tl::unexpected(Invalid("filter.peer_address", message.peer_address(), kAddress));
    }
  }
  if (!message.client_address().empty()) {
    filter.client_address = config::ParseIpv4(message.client_address());
    if (!filter.client_address) {
      return tl::unexpected(Invalid("filter.client_address", message.client_address(), kAddress));
    }
  }
  return filter;
}

std::string Describe(const management::v1::Filter& filter) {
  std::string text;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, Printable(value));
  };
  add("id", filter.id());
  add("user", filter.user());
  add("peer_address", filter.peer_address());
  add("client_address", filter.client_address());
  return text;
}

CallEvent MakeEvent(CallEvent::Kind kind) {
  CallEvent event;
  event.set_kind(kind);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<milliseconds>(now).count();
  event.mutable_time()->set_seconds(now_ms / 1000);
  event.mutable_time()->set_nanos(static_cast<int32_t>(now_ms % 1000) * 1'000'000);
  return event;
}

// WriteCalls answers false when the watcher has gone.
bool WriteCalls(CallEvent::Kind kind, std::vector<management::v1::Call> calls,
                grpc::ServerWriter<CallEvent>* writer) {
  CallEvent event = MakeEvent(kind);
  for (management::v1::Call& call : calls) {
    *event.mutable_call() = std::move(call);
    if (!writer->Write(event)) return false;
  }
  return true;
}

grpc::Status WatchEnd(CallWatch::State state) {
  if (state == CallWatch::State::kTooSlow) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            fmt::format("the watcher does not keep up: more than {} events were waiting",
                        CallWatch::kMaxQueued)};
  }
  return {grpc::StatusCode::UNAVAILABLE, "culvert-controlplane is stopping"};
}

}  // namespace

CallsService::CallsService(CallDirectory* directory, TerminateCalls terminate, ChangeCall change)
    : directory_(directory), terminate_(std::move(terminate)), change_(std::move(change)) {}

grpc::Status CallsService::List(grpc::ServerContext*,
                                const management::v1::ListCallsRequest* request,
                                management::v1::ListCallsResponse* response) {
  const auto filter = ParseFilter(request->filter());
  if (!filter) return filter.error();
  for (management::v1::Call& call : directory_->List(*filter)) {
    *response->add_calls() = std::move(call);
  }
  return grpc::Status::OK;
}

grpc::Status CallsService::Get(grpc::ServerContext*, const management::v1::GetCallRequest* request,
                               management::v1::Call* response) {
  const auto id = ParseCallId(request->id());
  if (!id) return Invalid("id", request->id(), "a call's id: 16 hex digits");
  auto call = directory_->Get(*id);
  if (!call) {
    return {grpc::StatusCode::NOT_FOUND, fmt::format("there is no call {}", FormatCallId(*id))};
  }
  *response = std::move(*call);
  return grpc::Status::OK;
}

grpc::Status CallsService::Watch(grpc::ServerContext* context,
                                 const management::v1::WatchCallsRequest* request,
                                 grpc::ServerWriter<CallEvent>* writer) {
  const auto filter = ParseFilter(request->filter());
  if (!filter) return filter.error();
  const uint32_t interval_ms = request->counters_interval_ms();
  if (interval_ms != 0 && interval_ms < kMinCountersIntervalMs) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            fmt::format("counters_interval_ms: {} is too short: 0 (off) or at least {}",
                        interval_ms, kMinCountersIntervalMs)};
  }
  auto subscription = directory_->Subscribe(*filter);
  if (!subscription) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            fmt::format("{} watchers are there already", CallDirectory::kMaxWatches)};
  }
  if (!WriteCalls(CallEvent::SNAPSHOT, std::move(subscription->snapshot), writer) ||
      !writer->Write(MakeEvent(CallEvent::SNAPSHOT_END))) {
    return grpc::Status::CANCELLED;
  }
  return Follow(context, subscription->watch.get(), milliseconds(interval_ms), writer);
}

grpc::Status CallsService::Follow(grpc::ServerContext* context, CallWatch* watch,
                                  milliseconds interval, grpc::ServerWriter<CallEvent>* writer) {
  auto next_round = steady_clock::now() + interval;
  while (!context->IsCancelled()) {
    milliseconds wait = kCancelPoll;
    if (interval.count() != 0) {
      const auto left = std::chrono::ceil<milliseconds>(next_round - steady_clock::now());
      wait = std::clamp(left, milliseconds(0), kCancelPoll);
    }
    for (const CallEvent& event : watch->Take(wait)) {
      if (!writer->Write(event)) return grpc::Status::CANCELLED;
    }
    if (watch->state() != CallWatch::State::kOpen) return WatchEnd(watch->state());
    if (interval.count() == 0 || steady_clock::now() < next_round) continue;
    next_round = steady_clock::now() + interval;
    if (!WriteCalls(CallEvent::COUNTERS, directory_->List(watch->filter()), writer)) break;
  }
  return grpc::Status::CANCELLED;
}

grpc::Status CallsService::Terminate(grpc::ServerContext*,
                                     const management::v1::TerminateCallsRequest* request,
                                     management::v1::TerminateCallsResponse* response) {
  const auto filter = ParseFilter(request->filter());
  if (!filter) return filter.error();
  if (filter->empty() != request->all()) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            request->all() ? "all: true cannot stand beside a filter: give one of the two"
                           : "filter: is empty; set one of its fields, or all = true for all "
                             "calls"};
  }
  const std::vector<uint64_t> ids = directory_->MatchingIds(*filter);
  if (ids.empty() && !request->all()) {
    return {grpc::StatusCode::NOT_FOUND, "no call matches " + Describe(request->filter())};
  }
  terminate_(ids);
  for (const uint64_t id : ids) response->add_ids(FormatCallId(id));
  return grpc::Status::OK;
}

grpc::Status CallsService::SetRate(grpc::ServerContext*,
                                   const management::v1::SetRateRequest* request,
                                   management::v1::SetRateResponse* response) {
  const auto id = ParseCallId(request->id());
  if (!id) return Invalid("id", request->id(), "a call's id: 16 hex digits");
  CallChange change;
  if (request->has_upstream_bps()) change.upstream_bps = request->upstream_bps();
  if (request->has_downstream_bps()) change.downstream_bps = request->downstream_bps();
  if (!change.upstream_bps && !change.downstream_bps) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "upstream_bps, downstream_bps: set at least one of the two"};
  }
  if (const absl::Status status = Check(change); !status.ok()) {
    return {grpc::StatusCode::INVALID_ARGUMENT, std::string(status.message())};
  }
  auto promise = std::make_shared<std::promise<absl::StatusOr<CallRates>>>();
  auto changed = promise->get_future();
  change_(*id, change,
          [promise](const absl::StatusOr<CallRates>& rates) { promise->set_value(rates); });
  if (changed.wait_for(kChangeTimeout) != std::future_status::ready) {
    return {grpc::StatusCode::DEADLINE_EXCEEDED, "the data plane has not answered yet"};
  }
  const absl::StatusOr<CallRates> rates = changed.get();
  if (!rates.ok()) {
    return {static_cast<grpc::StatusCode>(rates.status().code()),
            fmt::format("call {}: {}", FormatCallId(*id), std::string(rates.status().message()))};
  }
  response->set_upstream_bps(rates->upstream_bps);
  response->set_downstream_bps(rates->downstream_bps);
  return grpc::Status::OK;
}

}  // namespace culvert
