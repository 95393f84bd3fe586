#include "controlplane/radius/dynamic/order_runner.h"

#include <algorithm>
#include <utility>

namespace culvert::radius {

namespace {

std::optional<ErrorCause> CauseOf(const absl::Status& status) {
  if (status.ok()) {
    return std::nullopt;
  }
  if (absl::IsNotFound(status)) {
    return ErrorCause::kSessionNotFound;  // it ended meanwhile
  }
  return absl::IsInvalidArgument(status) ? ErrorCause::kInvalidValue
                                         : ErrorCause::kResourcesUnavailable;
}

}  // namespace

CallFilter FilterOf(const SessionKey& session) {
  CallFilter filter;
  filter.id = session.id;
  filter.user_octets = session.user;
  filter.peer_address = session.peer_address;
  filter.local_address = session.local_address;
  filter.client_address = session.client_address;
  filter.nas_port = session.nas_port;
  filter.calling_number = session.calling_number;
  filter.called_number = session.called_number;
  filter.chargeable_identity = session.chargeable_identity;
  filter.ipv6_interface_id = session.interface_id;
  filter.ipv6_prefix = session.prefix;
  filter.ipv6_delegated_prefix = session.delegated_prefix;
  return filter;
}

OrderRunner::OrderRunner(const CallDirectory* directory, ChangeCall change, Terminate terminate)
    : directory_(directory), change_(std::move(change)), terminate_(std::move(terminate)) {}

void OrderRunner::Run(Order order, uint64_t now_ms, Done done) {
  std::vector<uint64_t> ids;
  if (!order.session.nobody) {
    ids = directory_->MatchingIds(FilterOf(order.session));
  }
  if (ids.empty()) {
    return done(ErrorCause::kSessionNotFound);
  }
  if (order.disconnect) {
    terminate_(ids, "disconnected by a RADIUS server");
    endings_.push_back({std::move(ids), now_ms + kDisconnectMs, std::move(done)});
    return;
  }
  if (ids.size() > 1) {
    return done(ErrorCause::kSeveralSessions);  // or one might be changed and another not
  }
  change_(ids.front(), std::move(order.change),
          [done = std::move(done)](const absl::StatusOr<CallRates>& rates) {
            done(CauseOf(rates.status()));
          });
}

bool OrderRunner::OnTime(uint64_t now_ms) {
  for (auto it = endings_.begin(); it != endings_.end();) {
    std::erase_if(it->ids, [this](uint64_t id) { return directory_->HandleOf(id) == 0; });
    const bool late = now_ms >= it->deadline_ms;
    if (!it->ids.empty() && !late) {
      ++it;
      continue;
    }
    const Done done = std::move(it->done);
    const bool all_ended = it->ids.empty();
    it = endings_.erase(it);
    done(all_ended ? std::nullopt : std::optional(ErrorCause::kSessionNotRemovable));
  }
  return !endings_.empty();
}

}  // namespace culvert::radius
