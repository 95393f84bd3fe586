// What the metrics show of accounting.
#pragma once

#include <vector>

#include "controlplane/accounting/accounting.h"
#include "controlplane/metrics/reading.h"

namespace culvert::accounting {

void AddReadings(const AccountingUsage& usage, std::vector<Reading>& readings);

}  // namespace culvert::accounting
