#include "controlplane/aaa/policy/lock_out.h"

#include <absl/hash/hash.h>
#include <absl/strings/ascii.h>

#include <string>

namespace culvert {

namespace {

constexpr uint64_t kWelcomeMs = uint64_t{90} * 24 * 3600 * 1000;

size_t IndexOf(LockOut::Kind kind) { return static_cast<size_t>(kind); }

// One user has one name here, however DOMAIN\ and case are varied.
std::string Canonical(std::string_view user) {
  std::string name(user.substr(user.rfind('\\') + 1));
  absl::AsciiStrToLower(&name);
  return name;
}

}  // namespace

LockOut::LockOut(const Settings& settings, uint64_t seed)
    : seed_(seed),
      settings_(settings),
      tables_{FailureTable(settings.capacity), FailureTable(settings.capacity),
              FailureTable(settings.capacity)},
      welcome_(settings.capacity) {}

void LockOut::Reconfigure(const Settings& settings) {
  absl::MutexLock lock(&mutex_);
  settings_ = settings;
}

LockOut::Keys LockOut::KeysOf(std::string_view user, uint32_t source) const {
  const std::string name = Canonical(user);
  Keys keys{};
  keys[IndexOf(Kind::kPair)] = absl::HashOf(seed_, name, source);
  keys[IndexOf(Kind::kSource)] = absl::HashOf(seed_, source);
  keys[IndexOf(Kind::kUser)] = absl::HashOf(seed_, name);
  for (uint64_t& key : keys) {
    key = key == 0 ? 1 : key;
  }
  return keys;
}

bool LockOut::Locked(std::string_view user, uint32_t source, uint64_t now_ms) {
  const Keys keys = KeysOf(user, source);
  absl::MutexLock lock(&mutex_);
  const bool welcome = welcome_.Locked(keys[IndexOf(Kind::kPair)], now_ms);
  for (size_t i = 0; i < kKinds; ++i) {
    if (tables_[i].Locked(keys[i], now_ms) && !(welcome && i == IndexOf(Kind::kUser))) {
      ++counters_.refused[i];
      return true;
    }
  }
  return false;
}

void LockOut::OnFailure(std::string_view user, uint32_t source, uint64_t now_ms) {
  const Keys keys = KeysOf(user, source);
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < kKinds; ++i) {
    const uint32_t max = settings_.max_failures[i];
    if (max != 0 &&
        tables_[i].Add(keys[i], max, settings_.window_ms, settings_.duration_ms, now_ms)) {
      ++counters_.locks[i];
    }
  }
}

void LockOut::OnSuccess(std::string_view user, uint32_t source, uint64_t now_ms) {
  const Keys keys = KeysOf(user, source);
  absl::MutexLock lock(&mutex_);
  tables_[IndexOf(Kind::kPair)].Forget(keys[IndexOf(Kind::kPair)]);
  // A source's failures stay: who guesses may have an account of its own.
  welcome_.Add(keys[IndexOf(Kind::kPair)], 1, kWelcomeMs, kWelcomeMs, now_ms);
}

LockOut::Counters LockOut::counters(uint64_t now_ms) const {
  absl::MutexLock lock(&mutex_);
  Counters counters = counters_;
  for (size_t i = 0; i < kKinds; ++i) {
    counters.locked[i] = tables_[i].CountLocked(now_ms);
  }
  return counters;
}

}  // namespace culvert
