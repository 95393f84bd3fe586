// LastRound: what the data plane's counter rounds said last of itself, calls left out. Any thread.
#pragma once

#include <mutex>
#include <optional>

#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

class LastRound {
 public:
  // SetUp: whether the data plane answers. Nothing is known of it while it does not.
  void SetUp(bool up) {
    const std::lock_guard lock(mutex_);
    up_ = up;
  }
  void Take(const dataplane::v1::CountersResponse& round) {
    const std::lock_guard lock(mutex_);
    up_ = true;
    // A round of many calls comes in several messages; those with calls only say nothing here.
    if (!round.end_of_round()) {
      return;
    }
    *round_.mutable_workers() = round.workers();
    *round_.mutable_ports() = round.ports();
    round_.set_num_calls(round.num_calls());
    round_.set_mbufs_in_use(round.mbufs_in_use());
    round_.set_mbufs_total(round.mbufs_total());
  }
  // Get: nullopt while the data plane is away, or has not told its first round.
  [[nodiscard]] std::optional<dataplane::v1::CountersResponse> Get() const {
    const std::lock_guard lock(mutex_);
    if (!up_ || round_.workers_size() == 0) {
      return std::nullopt;
    }
    return round_;
  }

 private:
  mutable std::mutex mutex_;
  bool up_ = false;
  dataplane::v1::CountersResponse round_;
};

}  // namespace culvert
