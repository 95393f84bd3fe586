// CallTerms: what a call is given: by its listener, with its user, and by changes since. Changes
// hold from when the data plane has confirmed them. Of the call's shard.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "controlplane/aaa/grants.h"
#include "controlplane/management/call_change.h"
#include "culvert/dataplane/v1/dataplane.pb.h"

namespace culvert {

// kMaxRoutes: of CallConfig, IPv4 and IPv6 together. The data plane refuses a call with more.
constexpr int kMaxRoutes = 16;

class CallTerms {
 public:
  // `listener` outlives the terms.
  explicit CallTerms(const CallRates* listener) : listener_(listener) {}

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
  [[nodiscard]] const CallGrants& grants() const;
  // rates are those that hold.
  [[nodiscard]] CallRates rates() const { return RatesOf(grants()); }

 private:
  struct Waiting {
    CallChange change;
    CallChanged done;
  };

  void Fill(const CallGrants& grants, dataplane::v1::CallConfig* config);
  [[nodiscard]] CallRates RatesOf(const CallGrants& grants) const;

  // Most calls are never changed, and most users are given nothing of their own.
  struct Changes {
    CallChange changed;  // in grants_ already; outlives a login that does not speak of it
    std::vector<Waiting> waiting, sent;
  };
  Changes& changes();
  // Keep: what is as default takes no room.
  void Keep(CallGrants grants);

  const CallRates* const listener_;
  std::unique_ptr<const CallGrants> grants_;  // null: the default ones
  std::unique_ptr<Changes> changes_;          // null: there was none yet
  FilterHold sent_filter_, held_filter_;      // of the upsert under way, and in the data plane
};

}  // namespace culvert
