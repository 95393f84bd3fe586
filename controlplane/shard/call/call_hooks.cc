// What hooks are told of a call.
#include "controlplane/hooks/call_hooks.h"

#include "controlplane/shard/call/call.h"
#include "controlplane/shard/shard.h"

namespace culvert {

void Call::RunUpHooks(const ppp::Up& up) {
  CallHooks* hooks = shard_->services().hooks;
  if (hooks == nullptr) {
    return;
  }
  const bool was_up = hook_facts_ != nullptr;
  if (!was_up && !hooks->any()) {
    return;
  }
  const uint32_t old_address = was_up ? hook_facts_->client_address : 0;
  if (was_up && old_address == up.client_address) {
    return;  // IPCP or CCP has come up anew, and nothing is different
  }
  if (was_up) {
    const HookTotals none = {.connect_time_s = (SteadyMs() - up_ms_) / 1000,
                             .end_cause = "renegotiation"};
    hooks->Run(HookKind::kDown, *hook_facts_, &none);
  }
  const CallGrants& grants = terms_.grants();
  const ppp::PppSettings& settings = *settings_->ppp;
  hook_facts_ = std::make_unique<HookFacts>(
      HookFacts{.call = id(),
                .user = report_.user(),
                .peer_address = identity_.peer_address,
                .local_address = identity_.local_address,
                .client_address = up.client_address,
                .old_address = old_address,
                .upstream_bps = terms_.rates().upstream_bps,
                .downstream_bps = terms_.rates().downstream_bps,
                .mppe_bits = up.mppe_bits,
                .dns = grants.dns.empty() ? settings.dns : grants.dns,
                .wins = grants.wins.empty() ? settings.wins : grants.wins,
                .prefix = lease_.prefix,
                .delegated_prefix = lease_.delegated_prefix,
                .grants = grants,
                .names = identity_.names});
  hooks->Run(HookKind::kUp, *hook_facts_);
}

void Call::RunChangeHook() {
  if (hook_facts_ == nullptr) {
    return;
  }
  hook_facts_->grants = terms_.grants();
  hook_facts_->upstream_bps = terms_.rates().upstream_bps;
  hook_facts_->downstream_bps = terms_.rates().downstream_bps;
  shard_->services().hooks->Run(HookKind::kChange, *hook_facts_);
}

void Call::RunDownHook(const dataplane::v1::CallCounters& totals) {
  if (hook_facts_ == nullptr) {
    return;
  }
  const HookTotals told = {.connect_time_s = (SteadyMs() - up_ms_) / 1000,
                           .octets_sent = totals.downstream_octets(),
                           .octets_received = totals.upstream_octets(),
                           .packets_sent = totals.downstream_packets(),
                           .packets_received = totals.upstream_packets(),
                           .end_cause = std::string(EndCauseName(end_cause_))};
  shard_->services().hooks->Run(HookKind::kDown, *hook_facts_, &told);
  hook_facts_.reset();
}

}  // namespace culvert
