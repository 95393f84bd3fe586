// Reload reads the configuration file again and makes it hold: all that can change while calls are
// up, or nothing when anything in it is wrong.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "controlplane/metrics/reading.h"
#include "culvert/config/v1/config.pb.h"
#include "proto/config/load.h"

namespace culvert {

// Any thread; one reload at a time, others wait.
class Reload {
 public:
  struct Parts {
    std::function<config::Loaded()> read;  // the file
    // read_users reads the users' files at once if they have changed; with problems the users stay
    // as they were.
    std::function<std::vector<config::Problem>()> read_users;
    // apply makes a configuration without problems hold. It differs from the one that holds in
    // ReloadableKeys() only.
    std::function<void(const config::v1::Config& config)> apply;
  };
  // `held` is the configuration that holds.
  Reload(config::v1::Config held, Parts parts);

  struct Outcome {
    std::vector<std::string> applied;        // keys
    std::vector<std::string> needs_restart;  // keys that differ and stay as they were
  };
  // Run: InvalidArgument with one line for each thing that is wrong; nothing has changed then. The
  // log is told as well.
  [[nodiscard]] absl::StatusOr<Outcome> Run();

  void AddReadings(std::vector<Reading>& readings) const;

 private:
  absl::Status Refuse(const std::vector<config::Problem>& problems);

  const Parts parts_;
  std::atomic<uint64_t> num_done_{0}, num_refused_{0}, num_pending_{0};
  absl::Mutex mutex_;
  config::v1::Config held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace culvert
