// CallWatch: the queue of one watcher of calls. It is bounded: who does not keep up is cut off
// rather than fed without limit.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/management/call_record.h"
#include "culvert/management/v1/management.pb.h"

namespace culvert {

// CallFilter: every field that is set must match.
struct CallFilter {
  std::optional<uint64_t> id = {};
  std::optional<std::string> user = {};         // as it is, or as ToProto() shows it
  std::optional<std::string> user_octets = {};  // as AAA knows it
  std::optional<uint32_t> peer_address = {}, local_address = {}, client_address = {};
  std::optional<uint32_t> nas_port = {};
  std::optional<std::string> called_number = {}, calling_number = {};  // PeerNames
  std::optional<std::string> chargeable_identity = {};                 // AccountingMarks
  std::optional<uint64_t> ipv6_interface_id = {};
  std::optional<config::Ipv6Prefix> ipv6_prefix = {}, ipv6_delegated_prefix = {};
  [[nodiscard]] bool Matches(const CallRecord& record) const;
  [[nodiscard]] bool empty() const {
    return !id && !user && !user_octets && !peer_address && !local_address && !client_address &&
           !nas_port && !called_number && !calling_number && !chargeable_identity &&
           !ipv6_interface_id && !ipv6_prefix && !ipv6_delegated_prefix;
  }
};

class CallWatch {
 public:
  static constexpr size_t kMaxQueued = 65536;
  enum class State : uint8_t { kOpen, kTooSlow, kClosed };

  explicit CallWatch(CallFilter filter) : filter_(std::move(filter)) {}

  // filter never changes.
  [[nodiscard]] const CallFilter& filter() const { return filter_; }
  // Push is called by publishers. A full queue cuts the watcher off.
  void Push(management::v1::CallEvent event);
  // Close ends the watch: Take() answers at once from now on.
  void Close();
  // Take moves what is queued out, oldest first; with nothing there it waits for at most
  // `timeout`. One thread.
  [[nodiscard]] std::vector<management::v1::CallEvent> Take(std::chrono::milliseconds timeout);
  // state: kTooSlow and kClosed are final.
  [[nodiscard]] State state() const;

 private:
  const CallFilter filter_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<management::v1::CallEvent> queue_;
  State state_ = State::kOpen;
};

}  // namespace culvert
