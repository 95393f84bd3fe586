#include "controlplane/accounting/readings.h"

#include <array>
#include <utility>

namespace culvert::accounting {

namespace {

// By Entry::Step; kAlive is no record.
constexpr std::array<const char*, 6> kSteps = {"start", "interim", "stop", nullptr, "on", "off"};

void AddGauge(const char* name, const char* help, uint64_t value, std::vector<Reading>& readings) {
  readings.push_back({.name = name, .help = help, .counter = false, .value = value});
}

void AddByKind(const char* name, const char* help, const Losses& values, const char* reason,
               std::vector<Reading>& readings) {
  for (size_t i = 0; i < kSteps.size(); ++i) {
    if (kSteps[i] == nullptr) {
      continue;
    }
    Reading reading{.name = name, .help = help, .value = values[i]};
    reading.labels.emplace_back("kind", kSteps[i]);
    if (reason != nullptr) {
      reading.labels.emplace_back("reason", reason);
    }
    readings.push_back(std::move(reading));
  }
}

}  // namespace

void AddReadings(const AccountingUsage& usage, std::vector<Reading>& readings) {
  const JournalUsage& journal = usage.journal;
  AddGauge("accounting_sessions", "Calls that are accounted", usage.num_sessions, readings);
  AddGauge("accounting_spool_records", "Accounting records that no server has yet",
           journal.spool.num_records, readings);
  AddGauge("accounting_spool_aside_records",
           "Of these, records that servers do not take while they take others",
           journal.spool.num_stuck, readings);
  AddGauge("accounting_spool_octets", "Octets of the spool in use", journal.spool.octets, readings);
  AddGauge("accounting_spool_limit_octets", "Octets that the spool may have",
           journal.spool.max_octets, readings);
  AddGauge("accounting_spool_oldest_seconds", "Age of the oldest record in the spool",
           usage.oldest_age_s, readings);
  AddGauge("accounting_spool_failing", "Whether the spool cannot be written", journal.failing,
           readings);
  AddGauge("accounting_waiting_records", "Records in memory since the spool cannot be written",
           journal.num_waiting, readings);
  AddGauge("accounting_in_flight", "Records sent and not answered", usage.num_in_flight, readings);
  AddGauge("accounting_servers_away", "Whether no accounting server answers", usage.away, readings);
  AddByKind("accounting_acknowledged_total", "Records that a server has, by kind",
            usage.acknowledged, nullptr, readings);
  readings.push_back({.name = "accounting_failed_attempts_total",
                      .help = "Records sent in vain; they are sent again",
                      .value = usage.num_attempts_failed});
  static constexpr char kLost[] = "accounting_lost_total";
  static constexpr char kLostHelp[] = "Records given up, by kind and reason";
  AddByKind(kLost, kLostHelp, journal.dropped, "full", readings);
  AddByKind(kLost, kLostHelp, usage.refused, "refused", readings);
  for (const auto& [reason, value] : {std::pair{"damaged", journal.num_damaged_records},
                                      std::pair{"unreadable", usage.num_unreadable}}) {
    readings.push_back({.name = kLost,
                        .help = kLostHelp,
                        .value = value,
                        .labels = {{"kind", "unknown"}, {"reason", reason}}});
  }
  readings.push_back({.name = "accounting_spool_damaged_total",
                      .help = "Spool files that were damaged and moved aside",
                      .value = journal.num_damaged_files});
}

}  // namespace culvert::accounting
