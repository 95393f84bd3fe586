#include "controlplane/aaa/policy/readings.h"

#include <array>

namespace culvert {

void AddLockOutReadings(const LockOut::Counters& counters, std::vector<Reading>& readings) {
  constexpr std::array<const char*, LockOut::kKinds> kNames = {"user-and-source", "source", "user"};
  const auto add = [&](const char* name, const char* help, bool counter, const auto& values) {
    for (size_t i = 0; i < kNames.size(); ++i) {
      readings.push_back({.name = name,
                          .help = help,
                          .counter = counter,
                          .value = values[i],
                          .labels = {{"kind", kNames[i]}}});
    }
  };
  add("lock_outs_total", "Lock-outs after repeated failures, by what is locked", true,
      counters.locks);
  add("lock_out_refused_total", "Logins that were not judged for a lock-out", true,
      counters.refused);
  add("locked_out", "What is locked out now", false, counters.locked);
}

void AddSessionReadings(const SessionLimits::Counters& counters, std::vector<Reading>& readings) {
  readings.push_back({.name = "limited_users",
                      .help = "Users with sessions that are counted",
                      .counter = false,
                      .value = counters.users});
  readings.push_back({.name = "sessions_refused_total",
                      .help = "Logins of users that had all their sessions",
                      .value = counters.refused});
  readings.push_back({.name = "sessions_replaced_total",
                      .help = "Sessions ended for a new one of their user",
                      .value = counters.replaced});
}

void AddUserReadings(const UserFiles& files, std::vector<Reading>& readings) {
  readings.push_back({.name = "local_users",
                      .help = "Users in the files",
                      .counter = false,
                      .value = files.num_users()});
  readings.push_back({.name = "user_files_read_total",
                      .help = "Times the users were read again",
                      .value = files.num_read()});
  readings.push_back({.name = "user_files_refused_total",
                      .help = "Times they stayed as they were, for a bad file",
                      .value = files.num_refused()});
  constexpr const char* kChanges = "password_changes_total";
  constexpr const char* kChangesHelp = "Passwords of local users that clients were to change";
  readings.push_back({.name = kChanges,
                      .help = kChangesHelp,
                      .value = files.num_changed(),
                      .labels = {{"result", "done"}}});
  readings.push_back({.name = kChanges,
                      .help = kChangesHelp,
                      .value = files.num_not_changed(),
                      .labels = {{"result", "failed"}}});
  readings.push_back({.name = "chap_secrets_bad_lines",
                      .help = "Lines of chap-secrets left out at the last reading",
                      .counter = false,
                      .value = files.num_bad_lines()});
}

}  // namespace culvert
