#include "controlplane/shard/call/call_terms.h"

#include <algorithm>
#include <utility>

namespace culvert {

namespace v1 = dataplane::v1;

namespace {

void Apply(const CallChange& change, CallGrants& grants) {
  const auto set = [](const auto& from, auto& to) {
    if (from) to = *from;
  };
  set(change.upstream_bps, grants.upstream_bps);
  set(change.downstream_bps, grants.downstream_bps);
  set(change.session_timeout_s, grants.session_timeout_s);
  set(change.idle_timeout_s, grants.idle_timeout_s);
  set(change.octet_quota, grants.octet_quota);
  set(change.interim_interval_s, grants.interim_interval_s);
  set(change.classes, grants.classes);
  set(change.filter_id, grants.filter_id);
  set(change.filter, grants.filter);
  grants.own_filter |= change.filter.has_value();
  set(change.address_lists, grants.address_lists);
}

// Forget drops of a change what a login has said anew.
void Forget(const CallGrants& grants, CallChange& change) {
  const auto drop = [](bool said, auto& value) {
    if (said) value.reset();
  };
  drop(grants.upstream_bps.has_value(), change.upstream_bps);
  drop(grants.downstream_bps.has_value(), change.downstream_bps);
  drop(grants.session_timeout_s.has_value(), change.session_timeout_s);
  drop(grants.idle_timeout_s.has_value(), change.idle_timeout_s);
  drop(grants.octet_quota.has_value(), change.octet_quota);
  drop(grants.interim_interval_s.has_value(), change.interim_interval_s);
  drop(!grants.classes.empty(), change.classes);
  drop(grants.own_filter, change.filter_id);
  drop(grants.own_filter, change.filter);
  drop(!grants.address_lists.empty(), change.address_lists);
}

void SetRoute(const config::Ipv4Prefix& prefix, v1::Prefix* route) {
  const uint32_t address = prefix.address;
  const char octets[] = {static_cast<char>(address >> 24), static_cast<char>(address >> 16),
                         static_cast<char>(address >> 8), static_cast<char>(address)};
  route->set_address(octets, sizeof octets);
  route->set_length(prefix.length);
}

// The data plane would refuse the whole call for a rate below or above what its policers can.
uint64_t InReach(uint64_t bps) { return bps == 0 ? 0 : std::clamp(bps, kMinRateBps, kMaxRateBps); }

}  // namespace

const CallGrants& CallTerms::grants() const {
  static const CallGrants kDefault;
  return grants_ != nullptr ? *grants_ : kDefault;
}

CallTerms::Changes& CallTerms::changes() {
  if (changes_ == nullptr) {
    changes_ = std::make_unique<Changes>();
  }
  return *changes_;
}

void CallTerms::Keep(CallGrants grants) {
  grants_ = grants == CallGrants() ? nullptr : std::make_unique<CallGrants>(std::move(grants));
}

void CallTerms::SetGrants(CallGrants grants) {
  if (changes_ != nullptr) {
    Forget(grants, changes_->changed);
    Apply(changes_->changed, grants);
  }
  Keep(std::move(grants));
}

void CallTerms::Add(CallChange change, CallChanged done) {
  changes().waiting.push_back({std::move(change), std::move(done)});
}

CallRates CallTerms::RatesOf(const CallGrants& grants) const {
  return {.upstream_bps = InReach(grants.upstream_bps.value_or(listener_->upstream_bps)),
          .downstream_bps = InReach(grants.downstream_bps.value_or(listener_->downstream_bps))};
}

void CallTerms::Fill(v1::CallConfig* config) {
  if (changes_ == nullptr || (changes_->waiting.empty() && changes_->sent.empty())) {
    return Fill(grants(), config);
  }
  std::move(changes_->waiting.begin(), changes_->waiting.end(), std::back_inserter(changes_->sent));
  changes_->waiting.clear();
  CallGrants changed = grants();
  for (const Waiting& waiting : changes_->sent) {
    Apply(waiting.change, changed);
  }
  Fill(changed, config);
}

void CallTerms::Fill(const CallGrants& grants, v1::CallConfig* config) {
  const CallRates rates = RatesOf(grants);
  if (rates.upstream_bps != 0) {
    config->mutable_upstream_policer()->set_committed_bps(rates.upstream_bps);
  }
  if (rates.downstream_bps != 0) {
    config->mutable_downstream_policer()->set_committed_bps(rates.downstream_bps);
  }
  if (grants.idle_timeout_s) {
    config->set_idle_timeout_s(std::min(*grants.idle_timeout_s, kMaxIdleTimeoutS));
  }
  if (grants.octet_quota) {
    config->set_octet_quota(*grants.octet_quota);
  }
  sent_filter_ = grants.filter;
  if (sent_filter_ != nullptr) {
    config->set_filter(sent_filter_->id);
  }
  for (size_t i = 0; i < std::min(grants.routes.size(), size_t{kMaxRoutes}); ++i) {
    SetRoute(grants.routes[i], config->add_routes());
  }
}

bool CallTerms::OnConfirmed() {
  held_filter_ = std::move(sent_filter_);
  if (changes_ == nullptr || changes_->sent.empty()) {
    return false;
  }
  const std::vector<Waiting> confirmed = std::exchange(changes_->sent, {});
  CallGrants changed = grants();
  for (const Waiting& waiting : confirmed) {
    Merge(waiting.change, changes_->changed);
    Apply(waiting.change, changed);
  }
  Keep(std::move(changed));
  for (const Waiting& waiting : confirmed) {
    waiting.done(rates());
  }
  return true;
}

bool CallTerms::OnRefused(const absl::Status& status) {
  if (changes_ == nullptr || changes_->sent.empty()) {
    return false;
  }
  for (const Waiting& waiting : std::exchange(changes_->sent, {})) {
    waiting.done(status);
  }
  return true;
}

void CallTerms::Abandon(const absl::Status& status) {
  OnRefused(status);
  if (changes_ != nullptr) {
    changes_->sent = std::exchange(changes_->waiting, {});
    OnRefused(status);
  }
}

}  // namespace culvert
