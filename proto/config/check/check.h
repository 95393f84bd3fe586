// Checks that need the whole configuration: what is missing, and what does not go together.
#pragma once

#include <cstdint>
#include <vector>

#include "proto/config/load.h"
#include "proto/config/source_map.h"

namespace culvert::config {

// CheckRequired finds what `process` needs and nothing sets.
void CheckRequired(const v1::Config& config, Process process, const SourceMap& places,
                   std::vector<Problem>* problems);

// CheckDataplane: ports, cores, interfaces.
void CheckDataplane(const v1::Config& config, const SourceMap& places,
                    std::vector<Problem>* problems);

// CheckService: sockets, rates, authentication, MPPE.
void CheckService(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems);

// CheckPools: ranges that overlap, hold one of our addresses, or that no route covers; pools that
// are named and are not there, or chained in a ring.
void CheckPools(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems);

// CheckFilters: names that are there twice, rules that are none or too many, policy.filter.
void CheckFilters(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems);

// CheckIpv6: prefixes that overlap, hold one of our addresses or that no route covers; pools that
// are named and do not exist; what does not go together.
void CheckIpv6(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems);

// CheckRadius: servers for whoever needs them, with one secret each.
void CheckRadius(const v1::Config& config, const SourceMap& places, std::vector<Problem>* problems);

// CheckSecrets: none in a file of this mode (st_mode) when others may read or write it.
void CheckSecrets(const v1::Config& config, uint32_t mode, const SourceMap& places,
                  std::vector<Problem>* problems);

// CheckDynamic: who may ask for changes, with one secret each.
void CheckDynamic(const v1::Config& config, const SourceMap& places,
                  std::vector<Problem>* problems);

}  // namespace culvert::config
