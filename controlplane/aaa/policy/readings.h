// What the metrics show of users and their policy.
#pragma once

#include <vector>

#include "controlplane/aaa/policy/lock_out.h"
#include "controlplane/aaa/policy/session_limits.h"
#include "controlplane/aaa/users/user_files.h"
#include "controlplane/metrics/reading.h"

namespace culvert {

void AddLockOutReadings(const LockOut::Counters& counters, std::vector<Reading>& readings);
void AddSessionReadings(const SessionLimits::Counters& counters, std::vector<Reading>& readings);
void AddUserReadings(const UserFiles& files, std::vector<Reading>& readings);

}  // namespace culvert
