// FakeTransport is an accounting server for tests: it keeps what it is sent, and answers as told.
// Any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/accounting/delivery/transport.h"

namespace culvert::accounting::testing {

class FakeTransport final : public Transport {
 public:
  struct Sent {
    v1::Record record;
    uint32_t delay_s;
  };
  using Done = std::function<void(bool)>;

  // `answer` answers a record, at once or later.
  explicit FakeTransport(std::function<void(const v1::Record&, Done)> answer =
                             [](const v1::Record&, Done done) { done(true); })
      : answer_(std::move(answer)) {}

  void Send(const v1::Record& record, uint32_t delay_s, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back({.record = record, .delay_s = delay_s});
    }
    answer_(record, std::move(done));
  }
  [[nodiscard]] std::vector<Sent> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }
  // Count: records of a kind that were sent, again or not.
  [[nodiscard]] size_t Count(v1::Kind kind) const {
    size_t count = 0;
    for (const Sent& one : sent()) {
      count += one.record.kind() == kind ? 1 : 0;
    }
    return count;
  }

 private:
  const std::function<void(const v1::Record&, Done)> answer_;
  mutable std::mutex mutex_;
  std::vector<Sent> sent_;
};

}  // namespace culvert::accounting::testing
