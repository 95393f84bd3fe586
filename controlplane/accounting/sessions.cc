#include "controlplane/accounting/sessions.h"

#include <algorithm>
#include <utility>

namespace culvert::accounting {

namespace {
// Servers may wish for any 32-bit number. Of a longer interval the end would wrap round, and be
// past already.
constexpr uint32_t kMaxIntervalS = 1 << 30;
}  // namespace

Sessions::Sessions(const InterimSettings& settings, std::function<uint32_t(uint32_t)> random_below)
    : settings_(settings), random_below_(std::move(random_below)) {}

uint32_t Sessions::IntervalOf(std::optional<uint32_t> interval_s) const {
  const uint32_t wanted = interval_s.value_or(settings_.interval_s);
  return wanted == 0 ? 0 : std::max(settings_.min_interval_s, std::min(wanted, kMaxIntervalS));
}

void Sessions::Schedule(Session& session, uint32_t now_s) {
  session.due_s = now_s + std::max<uint32_t>(1, settings_.checkpoint_s);
  if (session.interval_s != 0) {
    session.due_s = std::max(now_s + 1, std::min(session.due_s, session.interim_s));
  }
  wheel_[session.due_s % kSlots].push_back(session.id);
}

void Sessions::Start(uint64_t id, uint64_t handle, uint64_t number, v1::Session message,
                     std::optional<uint32_t> interval_s, const Now& now,
                     std::vector<Entry>* entries) {
  std::unique_ptr<Session>& place = by_id_[id];
  if (place != nullptr) {
    return;
  }
  message.set_started_s(now.wall_s);
  place = std::make_unique<Session>(Session{.id = id,
                                            .handle = handle,
                                            .number = number,
                                            .session = message.SerializeAsString(),
                                            .traffic = {},
                                            .started_wall_s = now.wall_s,
                                            .start_s = now.steady_s,
                                            .interval_s = IntervalOf(interval_s)});
  Session& session = *place;
  by_handle_[handle] = &session;
  // Calls that came up together, after an outage, do not report together for ever.
  const auto most_early =
      static_cast<uint32_t>(uint64_t{session.interval_s} * settings_.jitter_percent / 100);
  session.interim_s = now.steady_s + session.interval_s - random_below_(most_early + 1);
  Schedule(session, now.steady_s);
  entries->push_back({.step = Entry::Step::kStart,
                      .call = number,
                      .time_s = now.wall_s,
                      .record = StartRecord(session.session, now.wall_s),
                      .session = session.session,
                      .traffic = {}});
}

void Sessions::Change(uint64_t id, v1::Session message, std::optional<uint32_t> interval_s,
                      const Now& now, std::vector<Entry>* entries) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) {
    return;
  }
  Session& session = *it->second;
  if (const uint32_t interval = IntervalOf(interval_s); interval != session.interval_s) {
    session.interval_s = interval;
    session.interim_s = now.steady_s + interval;
    Schedule(session, now.steady_s);
  }
  message.set_started_s(session.started_wall_s);
  std::string octets = message.SerializeAsString();
  if (octets == session.session) {
    return;
  }
  session.session = std::move(octets);
  session.unsaved = false;
  entries->push_back({.step = Entry::Step::kAlive,
                      .call = session.number,
                      .time_s = now.wall_s,
                      .record = {},
                      .session = session.session,
                      .traffic = session.traffic});
}

void Sessions::Count(uint64_t handle, const Traffic& traffic) {
  const auto it = by_handle_.find(handle);
  if (it == by_handle_.end() || it->second->traffic == traffic) {
    return;
  }
  Session& session = *it->second;
  session.traffic = Later(session.traffic, traffic);
  session.unsaved = true;
}

Entry Sessions::StopOf(const Session& session, TerminateCause cause, const Now& now) {
  return {.step = Entry::Step::kStop,
          .call = session.number,
          .time_s = now.wall_s,
          .record = StopRecord(session.session, now.wall_s, now.steady_s - session.start_s,
                               session.traffic, cause),
          .session = {},
          .traffic = {}};
}

void Sessions::End(uint64_t id, const Traffic& traffic, TerminateCause cause, const Now& now,
                   std::vector<Entry>* entries) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) {
    return;
  }
  Session& session = *it->second;
  session.traffic = Later(session.traffic, traffic);
  entries->push_back(StopOf(session, cause, now));
  // Another call may have the handle by now.
  if (const auto by_handle = by_handle_.find(session.handle);
      by_handle != by_handle_.end() && by_handle->second == &session) {
    by_handle_.erase(by_handle);
  }
  by_id_.erase(it);
}

void Sessions::EndAll(TerminateCause cause, const Now& now, std::vector<Entry>* entries) {
  for (const auto& [id, session] : by_id_) {
    entries->push_back(StopOf(*session, cause, now));
  }
  by_handle_.clear();
  by_id_.clear();
}

void Sessions::Advance(const Now& now, std::vector<Entry>* entries) {
  const uint32_t first = advanced_s_ == 0 || now.steady_s - advanced_s_ > kSlots
                             ? now.steady_s - static_cast<uint32_t>(kSlots) + 1
                             : advanced_s_ + 1;
  if (advanced_s_ != 0 && now.steady_s <= advanced_s_) {
    return;
  }
  advanced_s_ = now.steady_s;
  for (uint32_t second = first; second - first <= now.steady_s - first; ++second) {
    std::vector<uint64_t> ids = std::exchange(wheel_[second % kSlots], {});
    for (const uint64_t id : ids) {
      const auto it = by_id_.find(id);
      if (it == by_id_.end() || it->second->due_s % kSlots != second % kSlots) {
        continue;
      }
      if (it->second->due_s > now.steady_s) {
        wheel_[second % kSlots].push_back(id);  // in a later turn of the wheel
        continue;
      }
      LookAt(*it->second, now, entries);
    }
  }
}

void Sessions::LookAt(Session& session, const Now& now, std::vector<Entry>* entries) {
  const bool is_interim = session.interval_s != 0 && session.interim_s <= now.steady_s;
  if (is_interim) {
    session.interim_s = now.steady_s + session.interval_s;
  }
  if (is_interim || session.unsaved) {
    entries->push_back(
        {.step = is_interim ? Entry::Step::kInterim : Entry::Step::kAlive,
         .call = session.number,
         .time_s = now.wall_s,
         .record = is_interim ? InterimRecord(session.session, now.wall_s,
                                              now.steady_s - session.start_s, session.traffic)
                              : std::string(),
         .session = {},
         .traffic = session.traffic});
    session.unsaved = false;
  }
  Schedule(session, now.steady_s);
}

void Sessions::Restore(std::vector<Entry>* entries) const {
  for (const auto& [id, session] : by_id_) {
    entries->push_back({.step = Entry::Step::kAlive,
                        .call = session->number,
                        .time_s = 0,
                        .record = {},
                        .session = session->session,
                        .traffic = session->traffic});
  }
}

}  // namespace culvert::accounting
