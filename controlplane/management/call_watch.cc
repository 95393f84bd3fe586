#include "controlplane/management/call_watch.h"

#include <iterator>
#include <utility>

#include "controlplane/logging/printable.h"

namespace culvert {

bool CallFilter::Matches(const CallRecord& record) const {
  return (!id || *id == record.id) &&
         (!user || *user == record.user || *user == Printable(record.user)) &&
         (!user_octets || *user_octets == record.user) &&
         (!peer_address || *peer_address == record.peer_address) &&
         (!local_address || *local_address == record.local_address) &&
         (!client_address || *client_address == record.client_address) &&
         (!nas_port || (record.handle != 0 && *nas_port == record.nas_port())) &&
         (!called_number || (record.names && *called_number == record.names->called_number)) &&
         (!calling_number || (record.names && *calling_number == record.names->calling_number)) &&
         (!chargeable_identity ||
          (record.marks && *chargeable_identity == record.marks->chargeable_identity)) &&
         (!ipv6_interface_id || *ipv6_interface_id == record.ipv6_interface_id) &&
         (!ipv6_prefix || ipv6_prefix == record.ipv6_prefix) &&
         (!ipv6_delegated_prefix || ipv6_delegated_prefix == record.ipv6_delegated_prefix);
}

void CallWatch::Push(management::v1::CallEvent event) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) return;
  if (queue_.size() >= kMaxQueued) {
    state_ = State::kTooSlow;
    queue_.clear();
  } else {
    queue_.push_back(std::move(event));
  }
  changed_.notify_one();
}

void CallWatch::Close() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kOpen) state_ = State::kClosed;
  changed_.notify_one();
}

std::vector<management::v1::CallEvent> CallWatch::Take(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return !queue_.empty() || state_ != State::kOpen; });
  std::vector<management::v1::CallEvent> events(std::make_move_iterator(queue_.begin()),
                                                std::make_move_iterator(queue_.end()));
  queue_.clear();
  return events;
}

CallWatch::State CallWatch::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace culvert
