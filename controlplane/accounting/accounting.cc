#include "controlplane/accounting/accounting.h"

#include <absl/strings/str_format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace culvert::accounting {

namespace {

constexpr std::chrono::milliseconds kTick{100};
// How exactly the next start knows when a killed process died.
constexpr uint64_t kHeartbeatMs = 10'000;
constexpr uint64_t kUsageMs = 1000;
constexpr uint64_t kAsideMs = 60'000;
constexpr size_t kAsideAtOnce = 16;

uint64_t SteadyMs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

Now NowOf() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {.wall_s = static_cast<uint32_t>(
              std::chrono::duration_cast<std::chrono::seconds>(since).count()),
          .steady_s = static_cast<uint32_t>(SteadyMs() / 1000)};
}

size_t IndexOf(Entry::Step step) { return static_cast<size_t>(step); }

}  // namespace

struct Accounting::Shared {
  Shared(const InterimSettings& settings, std::function<uint32_t(uint32_t)> random_below)
      : sessions(settings, std::move(random_below)) {}

  mutable std::mutex mutex;
  std::condition_variable wake;
  Sessions sessions;
  uint64_t next_number = 1;  // of a call in the spool
  std::vector<Entry> entries;
  std::vector<Answer> answers;
  AccountingUsage usage;
  std::optional<uint64_t> stop_by_ms;  // steady
};

absl::StatusOr<std::unique_ptr<Accounting>> Accounting::Start(
    const AccountingSettings& settings, Transport* transport,
    std::function<uint32_t(uint32_t)> random_below) {
  auto shared = std::make_shared<Shared>(settings.interims, std::move(random_below));
  auto restore = [shared](std::vector<Entry>* entries) {
    const std::lock_guard lock(shared->mutex);
    shared->sessions.Restore(entries);
  };
  absl::StatusOr<std::unique_ptr<Journal>> journal =
      Journal::Open(settings.spool, restore, NowOf().wall_s);
  if (!journal.ok()) {
    return journal.status();
  }
  std::unique_ptr<Accounting> accounting(
      new Accounting(settings, transport, *std::move(journal), std::move(shared)));
  accounting->Recover();
  accounting->thread_ = std::thread([raw = accounting.get()] { raw->Run(); });
  return accounting;
}

Accounting::Accounting(const AccountingSettings& settings, Transport* transport,
                       std::unique_ptr<Journal> journal, std::shared_ptr<Shared> shared)
    : settings_(settings),
      transport_(transport),
      shared_(std::move(shared)),
      nas_id_(absl::StrFormat("nas-%08x", NowOf().wall_s)),
      journal_(std::move(journal)),
      sender_(settings.max_in_flight) {}

Accounting::~Accounting() {
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stop_by_ms = 0;
  }
  shared_->wake.notify_one();
  thread_.join();
}

void Accounting::Recover() {
  const Now now = NowOf();
  const uint32_t alive_s = std::min(journal_->alive_s(), now.wall_s);
  std::vector<Entry> entries;
  for (LiveCall& call : journal_->Live()) {
    v1::Session session;
    if (!session.ParseFromString(call.session)) {
      ++usage_.num_unreadable;
    }
    const uint32_t lasted_s = alive_s > session.started_s() ? alive_s - session.started_s() : 0;
    entries.push_back({.step = Entry::Step::kStop,
                       .call = call.call,
                       .time_s = alive_s,
                       .record = StopRecord(call.session, alive_s, lasted_s, call.traffic,
                                            TerminateCause::kNasReboot),
                       .session = {},
                       .traffic = {}});
  }
  if (!entries.empty()) {
    spdlog::warn("accounting: {} calls of a process that was killed are ended", entries.size());
  }
  entries.push_back({.step = Entry::Step::kOn,
                     .call = 0,
                     .time_s = now.wall_s,
                     .record = NasRecord(v1::KIND_ON, nas_id_, now.wall_s),
                     .session = {},
                     .traffic = {}});
  shared_->next_number = journal_->next_call();
  journal_->Write(std::move(entries), {}, SteadyMs(), now.wall_s);
}

void Accounting::OnUp(uint64_t id, uint64_t handle, v1::Session session,
                      std::optional<uint32_t> interim_interval_s) {
  const Now now = NowOf();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->sessions.Start(id, handle, shared_->next_number++, std::move(session),
                            interim_interval_s, now, &shared_->entries);
  }
  shared_->wake.notify_one();
}

void Accounting::OnChanged(uint64_t id, v1::Session session,
                           std::optional<uint32_t> interim_interval_s) {
  const Now now = NowOf();
  const std::lock_guard lock(shared_->mutex);
  shared_->sessions.Change(id, std::move(session), interim_interval_s, now, &shared_->entries);
}

void Accounting::OnTraffic(const std::vector<std::pair<uint64_t, Traffic>>& by_handle) {
  const std::lock_guard lock(shared_->mutex);
  for (const auto& [handle, traffic] : by_handle) {
    shared_->sessions.Count(handle, traffic);
  }
}

void Accounting::OnEnded(uint64_t id, const Traffic& traffic, TerminateCause cause) {
  const Now now = NowOf();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->sessions.End(id, traffic, cause, now, &shared_->entries);
  }
  shared_->wake.notify_one();
}

void Accounting::Stop(std::chrono::milliseconds patience) {
  const Now now = NowOf();
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->stop_by_ms) {
      return;
    }
    shared_->sessions.EndAll(TerminateCause::kAdminReboot, now, &shared_->entries);
    shared_->entries.push_back({.step = Entry::Step::kOff,
                                .call = 0,
                                .time_s = now.wall_s,
                                .record = NasRecord(v1::KIND_OFF, nas_id_, now.wall_s),
                                .session = {},
                                .traffic = {}});
    shared_->stop_by_ms = SteadyMs() + static_cast<uint64_t>(patience.count());
  }
  shared_->wake.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

AccountingUsage Accounting::Usage() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->usage;
}

void Accounting::Run() {
  while (Turn()) {
    std::unique_lock lock(shared_->mutex);
    shared_->wake.wait_for(lock, kTick, [this] {
      return !shared_->entries.empty() || !shared_->answers.empty() || shared_->stop_by_ms == 0;
    });
  }
}

bool Accounting::Turn() {
  std::vector<Entry> entries;
  std::vector<Answer> answers;
  std::optional<uint64_t> stop_by_ms;
  const Now now = NowOf();
  bool has_sessions = false;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->sessions.Advance(now, &shared_->entries);
    entries.swap(shared_->entries);
    answers.swap(shared_->answers);
    stop_by_ms = shared_->stop_by_ms;
    has_sessions = shared_->sessions.size() != 0;
  }
  const uint64_t now_ms = SteadyMs();
  std::vector<int64_t> done;
  HandleAnswers(answers, &done);
  const bool heartbeat = has_sessions && now_ms >= heartbeat_ms_;
  if (!entries.empty() || !done.empty() || !journal_->empty() || heartbeat) {
    journal_->Write(std::move(entries), done, now_ms, now.wall_s);
    heartbeat_ms_ = now_ms + kHeartbeatMs;
    if (const std::unordered_set<uint64_t> calls = journal_->TakeSuperseded(); !calls.empty()) {
      sender_.Supersede(calls);
    }
  }
  const bool is_late = stop_by_ms && now_ms >= *stop_by_ms;
  if (!is_late) {
    Load(now_ms);
    Send(now_ms);
  }
  const bool is_over = is_late || (stop_by_ms && sender_.idle() && journal_->empty());
  if (is_over || now_ms >= usage_ms_) {
    Publish(now_ms);
  }
  return !is_over;
}

void Accounting::HandleAnswers(const std::vector<Answer>& answers, std::vector<int64_t>* done) {
  const uint64_t now_ms = SteadyMs();
  for (const Answer& answer : answers) {
    const Sender::Outcome outcome = sender_.OnAnswer(answer.seq, answer.acknowledged, now_ms);
    usage_.num_attempts_failed += answer.acknowledged ? 0 : 1;
    switch (outcome.verdict) {
      case Sender::Verdict::kKeep:
        break;
      case Sender::Verdict::kDone:
        // What these had been refused for is over, perhaps: the next of them need not wait.
        aside_ms_ = outcome.was_aside ? now_ms : aside_ms_;
        ++usage_.acknowledged[IndexOf(outcome.step)];
        done->push_back(answer.seq);
        break;
      case Sender::Verdict::kSetAside:
        journal_->SetAside(answer.seq);
        break;
      case Sender::Verdict::kDrop:
        ++usage_.refused[IndexOf(outcome.step)];
        done->push_back(answer.seq);
        break;
    }
  }
}

void Accounting::Load(uint64_t now_ms) {
  if (now_ms >= aside_ms_ && sender_.num_aside() < kAsideAtOnce) {
    aside_ms_ = now_ms + kAsideMs;
    std::vector<StoredRecord> records =
        journal_->ReadAside(aside_seq_, kAsideAtOnce - sender_.num_aside());
    aside_seq_ = records.empty() ? 0 : records.back().seq;
    for (StoredRecord& record : records) {
      sender_.Add(std::move(record));
    }
  }
  if (const size_t wanted = sender_.Wanted(); wanted != 0) {
    for (StoredRecord& record : journal_->Read(loaded_seq_, wanted)) {
      loaded_seq_ = record.seq;
      sender_.Add(std::move(record));
    }
  }
}

void Accounting::Send(uint64_t now_ms) {
  for (const Sender::Outgoing& outgoing : sender_.Take(now_ms)) {
    SendOne(outgoing);
  }
}

void Accounting::SendOne(const Sender::Outgoing& outgoing) {
  auto answer = [shared = shared_, seq = outgoing.seq](bool acknowledged) {
    {
      const std::lock_guard lock(shared->mutex);
      shared->answers.push_back({.seq = seq, .acknowledged = acknowledged});
    }
    shared->wake.notify_one();
  };
  v1::Record record;
  if (!record.ParseFromString(*outgoing.record)) {
    spdlog::error("accounting: record {} of the spool makes no sense and is left out",
                  outgoing.seq);
    ++usage_.num_unreadable;
    return answer(true);
  }
  const uint32_t now_s = NowOf().wall_s;
  transport_->Send(record, now_s > record.time_s() ? now_s - record.time_s() : 0,
                   std::move(answer));
}

void Accounting::Publish(uint64_t now_ms) {
  usage_ms_ = now_ms + kUsageMs;
  usage_.journal = journal_->Usage();
  usage_.num_in_flight = sender_.in_flight();
  usage_.away = sender_.away();
  const uint32_t oldest_s = usage_.journal.spool.oldest_s, now_s = NowOf().wall_s;
  usage_.oldest_age_s = oldest_s != 0 && now_s > oldest_s ? now_s - oldest_s : 0;
  const std::lock_guard lock(shared_->mutex);
  usage_.num_sessions = shared_->sessions.size();
  shared_->usage = usage_;
}

}  // namespace culvert::accounting
