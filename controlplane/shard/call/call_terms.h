// CallTerms: what a call is given: by its listener, with its user, and by changes since. Changes
// hold from when the data plane has confirmed them. Of the call's shard.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "controlplane/management/call_change.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

class CallTerms {
 public:
  explicit CallTerms(const CallRates& listener) : listener_(listener) {}

  // SetGrants: a login. What it says replaces what changes before it said.
  void SetGrants(CallGrants grants);

  // Add queues a change; it goes out with the next Fill().
  void Add(CallChange change, CallChanged done);
  // Fill writes limits, policers and routes for an upsert, with all changes that wait.
  void Fill(dataplane::v1::CallConfig* config);

  // OnConfirmed: the upsert of the last Fill() was taken; true: it changed the terms.
  bool OnConfirmed();
  // OnRefused: it was not; what it would have changed is as it was. false: it changed nothing, so
  // the reason lies elsewhere.
  bool OnRefused(const absl::Status& status);
  // Abandon answers all that waits.
  void Abandon(const absl::Status& status);

  // grants are those of the user, with the confirmed changes.
  [[nodiscard]] const CallGrants& grants() const { return grants_; }
  // rates are those that hold.
  [[nodiscard]] CallRates rates() const { return RatesOf(grants_); }

 private:
  struct Waiting {
    CallChange change;
    CallChanged done;
  };

  [[nodiscard]] CallRates RatesOf(const CallGrants& grants) const;

  const CallRates listener_;
  CallGrants grants_;
  CallChange changed_;  // in grants_ already; outlives a login that does not speak of it
  std::vector<Waiting> waiting_, sent_;
  FilterHold sent_filter_, held_filter_;  // of the upsert under way, and in the data plane
};

}  // namespace culvert
