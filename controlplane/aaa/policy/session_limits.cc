#include "controlplane/aaa/policy/session_limits.h"

#include <absl/hash/hash.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <string>

namespace culvert {

SessionLimits::SessionLimits(uint64_t seed, bool fold_case, End end)
    : seed_(seed), fold_case_(fold_case), end_(std::move(end)) {}

uint64_t SessionLimits::KeyOf(std::string_view user) const {
  std::string name(user);
  if (fold_case_) {
    absl::AsciiStrToLower(&name);
  }
  const uint64_t key = absl::HashOf(seed_, name);
  return key == 0 ? 1 : key;
}

SessionLimits::Entry SessionLimits::Enter(std::string_view user, uint64_t call, Rule rule,
                                          Entered entered, SessionTicket* ticket) {
  const uint64_t key = KeyOf(user);
  Part& part = PartOf(key);
  std::vector<uint64_t> ended;
  std::vector<Entered> displaced;
  Entry entry = Entry::kIn;
  {
    absl::MutexLock lock(&part.mutex);
    Sessions& sessions = part.users[key];
    if (sessions.size() >= rule.max) {
      if (!rule.replace) {
        num_refused_.fetch_add(1, std::memory_order_relaxed);
        return Entry::kRefused;
      }
      Replace(sessions, rule.max, ended, displaced);
      entry = sessions.size() >= rule.max ? Entry::kWaits : Entry::kIn;
    }
    sessions.push_back({.call = call,
                        .max = rule.max,
                        .entered = entry == Entry::kWaits ? std::move(entered) : nullptr});
    *ticket = {.user = key, .call = call};
  }
  for (const Entered& waiting : displaced) {
    waiting(false);
  }
  if (!ended.empty()) {
    end_(std::move(ended));
  }
  return entry;
}

void SessionLimits::Replace(Sessions& sessions, uint32_t max, std::vector<uint64_t>& ended,
                            std::vector<Entered>& displaced) {
  size_t staying = std::count_if(sessions.begin(), sessions.end(),
                                 [](const Session& session) { return !session.leaving; });
  for (Session& session : sessions) {
    if (staying < max) {
      break;
    }
    if (session.leaving) {
      continue;
    }
    session.leaving = true;
    --staying;
    num_replaced_.fetch_add(1, std::memory_order_relaxed);
    if (session.entered) {
      displaced.push_back(std::move(session.entered));
      session.call = 0;  // holds nothing yet, so it goes at once
    } else {
      ended.push_back(session.call);
    }
  }
  std::erase_if(sessions, [](const Session& session) { return session.call == 0; });
}

void SessionLimits::Leave(const SessionTicket& ticket) {
  if (ticket.user == 0) {
    return;
  }
  Part& part = PartOf(ticket.user);
  std::vector<Entered> entered;
  {
    absl::MutexLock lock(&part.mutex);
    auto it = part.users.find(ticket.user);
    if (it == part.users.end()) {
      return;
    }
    Sessions& sessions = it->second;
    const auto gone = std::find_if(sessions.begin(), sessions.end(), [&](const Session& session) {
      return session.call == ticket.call && !session.entered;
    });
    if (gone != sessions.end()) {
      sessions.erase(gone);
    }
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (sessions[i].entered && i < sessions[i].max) {
        entered.push_back(std::exchange(sessions[i].entered, nullptr));
      }
    }
    if (sessions.empty()) {
      part.users.erase(it);
    }
  }
  for (const Entered& waiting : entered) {
    waiting(true);
  }
}

void SessionLimits::Abandon() {
  std::vector<Entered> waiting;
  for (Part& part : parts_) {
    absl::MutexLock lock(&part.mutex);
    for (auto& [user, sessions] : part.users) {
      for (Session& session : sessions) {
        if (session.entered) {
          waiting.push_back(std::exchange(session.entered, nullptr));
        }
      }
    }
  }
}

SessionLimits::Counters SessionLimits::counters() const {
  Counters counters{.users = 0,
                    .refused = num_refused_.load(std::memory_order_relaxed),
                    .replaced = num_replaced_.load(std::memory_order_relaxed)};
  for (const Part& part : parts_) {
    absl::MutexLock lock(&part.mutex);
    counters.users += part.users.size();
  }
  return counters;
}

}  // namespace culvert
