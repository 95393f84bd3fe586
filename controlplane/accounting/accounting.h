// Accounting tells servers of calls: Start, Interim-Update and Stop, Accounting-On and -Off (RFC
// 2866). What it is told of goes to a spool on disk first and from there to the servers, on a
// thread of its own. Exactly one Stop is recorded for each call that has a Start, also for those
// that die with the process: the next start makes it.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/accounting/spool/journal.h"
#include "controlplane/accounting/delivery/sender.h"
#include "controlplane/accounting/sessions.h"
#include "controlplane/accounting/delivery/transport.h"

namespace culvert::accounting {

struct AccountingSettings {
  Journal::Settings spool;
  InterimSettings interims;
  size_t max_in_flight = 256;
};

struct AccountingUsage {
  JournalUsage journal;
  uint64_t num_sessions = 0;
  uint64_t num_in_flight = 0;
  bool away = false;      // the servers answer nothing
  Losses acknowledged{};  // records that a server has
  Losses refused{};       // given up, since servers took others and not these
  uint64_t num_attempts_failed = 0;
  uint64_t num_unreadable = 0;  // records whose octets made no sense
  uint64_t oldest_age_s = 0;    // of the records in the spool
};

class Accounting {
 public:
  // Start opens the spool, ends the calls that another process left in it, and begins to send.
  // `transport` outlives this; `random_below(n)` is 0 to n - 1, on any thread.
  static absl::StatusOr<std::unique_ptr<Accounting>> Start(
      const AccountingSettings& settings, Transport* transport,
      std::function<uint32_t(uint32_t)> random_below);
  // Without Stop() the calls that live are ended by the next start.
  ~Accounting();

  // These are for any thread, and wait for no disk. `id` is the call's; all but OnUp() leave calls
  // out that are not up. OnUp() puts the start into `session`; `handle` is the data plane's.
  void OnUp(uint64_t id, uint64_t handle, v1::Session session,
            std::optional<uint32_t> interim_interval_s);
  // OnChanged: what is said of a call from now on.
  void OnChanged(uint64_t id, v1::Session session, std::optional<uint32_t> interim_interval_s);
  void OnTraffic(const std::vector<std::pair<uint64_t, Traffic>>& by_handle);
  // OnEnded: `traffic` are the last counters, zeros when nobody knows.
  void OnEnded(uint64_t id, const Traffic& traffic, TerminateCause cause);

  // Stop ends the calls that are left, writes Accounting-Off behind them, and sends what it can
  // within `patience`. When it returns all is on disk, if the disk takes it.
  void Stop(std::chrono::milliseconds patience);

  [[nodiscard]] AccountingUsage Usage() const;

 private:
  struct Answer {
    int64_t seq;
    bool acknowledged;
  };
  // What threads share. Transports may answer when the rest has gone.
  struct Shared;

  Accounting(const AccountingSettings& settings, Transport* transport,
             std::unique_ptr<Journal> journal, std::shared_ptr<Shared> shared);
  void Recover();
  void Run();
  // Turn does what is to be done now; false: that was the end.
  bool Turn();
  void HandleAnswers(const std::vector<Answer>& answers, std::vector<int64_t>* done);
  void Load(uint64_t now_ms);
  void Send(uint64_t now_ms);
  void SendOne(const Sender::Outgoing& outgoing);
  void Publish(uint64_t now_ms);

  const AccountingSettings settings_;
  Transport* const transport_;
  const std::shared_ptr<Shared> shared_;
  const std::string nas_id_;  // Acct-Session-Id of Accounting-On and -Off
  // Of the thread.
  std::unique_ptr<Journal> journal_;
  Sender sender_;
  int64_t loaded_seq_ = 0;
  uint64_t aside_ms_ = 0;  // when some of those set aside ask again
  int64_t aside_seq_ = 0;  // the last of them that did
  uint64_t heartbeat_ms_ = 0, usage_ms_ = 0;
  AccountingUsage usage_;
  std::thread thread_;
};

}  // namespace culvert::accounting
