#include "controlplane/shard/call.h"

#include <absl/strings/str_cat.h>

#include "controlplane/shard/random.h"
#include "controlplane/shard/shard.h"

namespace culvert {

namespace v1 = dataplane::v1;

namespace {

// Clients open their GRE socket after Outgoing-Call-Reply, and NATs learn of it by their first
// packet: an earlier Configure-Request is often lost.
constexpr uint64_t kStartDelayMs = 300;

void SetPolicer(uint64_t bps, v1::Policer* policer) { policer->set_committed_bps(bps); }

void SetKeepalive(const ppp::EchoOffload& echo, v1::Keepalive* keepalive) {
  keepalive->set_interval_s(echo.interval_s);
  keepalive->set_misses(echo.failures);
  keepalive->set_magic(echo.magic);
  keepalive->set_peer_magic(echo.peer_magic);
}

void SetRoute(const config::Ipv4Prefix& prefix, v1::Prefix* route) {
  const uint32_t address = prefix.address;
  const char octets[] = {static_cast<char>(address >> 24), static_cast<char>(address >> 16),
                         static_cast<char>(address >> 8), static_cast<char>(address)};
  route->set_address(octets, sizeof octets);
  route->set_length(prefix.length);
}

void SetKey(v1::MppeKey& key, const ppp::MppeDirection& direction) {
  key.set_bits(direction.bits);
  key.set_epoch(direction.epoch);
  key.set_stateful(direction.stateful);
  std::span<const uint8_t> octets = direction.start_key.octets();
  key.set_start_key(octets.data(), octets.size());
}

}  // namespace

Call::Call(Shard* shard, CallOwner* owner, const CallIdentity& identity)
    : shard_(shard),
      owner_(owner),
      identity_(identity),
      report_(&shard->services(), identity.peer_address, identity.local_address, identity.call_id,
              identity.peer_call_id),
      alarm_(shard->loop(), [this] { OnAlarm(); }) {
  shard_->OnCallMade();
}

Call::~Call() { shard_->OnCallGone(); }

v1::Operation Call::UpsertOperation() const {
  v1::Operation operation;
  v1::CallConfig& config = *operation.mutable_upsert();
  config = shard_->services().call_template;
  config.set_handle(handle_);
  config.set_local_address(identity_.local_address);
  config.set_call_id(identity_.call_id);
  config.set_peer_address(identity_.peer_address);
  config.set_peer_call_id(identity_.peer_call_id);
  if (shard_->services().honour_peer_window) {
    config.set_peer_window(identity_.peer_window);
  }
  AddGrants(&config);
  return operation;
}

CallRates Call::rates() const {
  const auto choose = [](std::optional<uint64_t> operators, std::optional<uint64_t> users,
                         uint64_t listeners) {
    return operators ? *operators : users.value_or(listeners);
  };
  const CallRates& listeners = shard_->services().listener_rates[identity_.listener];
  return {.upstream_bps =
              choose(rate_override_.upstream_bps, grants_.upstream_bps, listeners.upstream_bps),
          .downstream_bps = choose(rate_override_.downstream_bps, grants_.downstream_bps,
                                   listeners.downstream_bps)};
}

void Call::AddGrants(v1::CallConfig* config) const {
  if (rates().upstream_bps != 0) {
    SetPolicer(rates().upstream_bps, config->mutable_upstream_policer());
  }
  if (rates().downstream_bps != 0) {
    SetPolicer(rates().downstream_bps, config->mutable_downstream_policer());
  }
  for (const config::Ipv4Prefix& prefix : grants_.routes) {
    SetRoute(prefix, config->add_routes());
  }
}

void Call::Begin() {
  shard_->Program(UpsertOperation(), [self = shared_from_this()](const v1::Result& result) {
    self->OnFirstUpsert(result);
  });
}

void Call::OnFirstUpsert(const v1::Result& result) {
  if (result.code() != 0) {
    shard_->ReleaseCallId(identity_.local_address, identity_.call_id, /*used=*/false);
    if (step_ != Step::kEnded) {
      step_ = Step::kEnded;
      report_.OnRefused("data-plane", absl::StrCat("data plane: ", result.message()));
      if (CallOwner* owner = std::exchange(owner_, nullptr)) {
        owner->Refuse(identity_.call_id, pptp::Refusal::kNoResource);
      }
    }
    return;
  }
  handle_ = result.handle();
  if (step_ == Step::kEnded) {  // the client left while we waited
    v1::Operation removal;
    removal.set_remove(handle_);
    return shard_->Program(std::move(removal), [self = shared_from_this()](const v1::Result&) {
      self->shard_->ReleaseCallId(self->identity_.local_address, self->identity_.call_id,
                                  /*used=*/true);
    });
  }
  step_ = Step::kAccepted;
  shard_->Insert(this);
  report_.OnStarted(handle_);
  uint64_t now_ms = SteadyMs();
  ppp_ = std::make_unique<ppp::PppCall>(shard_->services().ppp_settings, FillRandom,
                                        &shard_->ppp_counters(), now_ms);
  start_deadline_ms_ = now_ms + kStartDelayMs;
  alarm_.Set(start_deadline_ms_);
  owner_->Accept(identity_.call_id);
}

void Call::StartPpp() {
  step_ = Step::kRunning;
  ppp_->Start(SteadyMs());
}

void Call::OnFrame(wire::Octets frame) {
  if (step_ == Step::kAccepted) {
    StartPpp();
  }
  if (step_ == Step::kRunning) {
    ppp_->OnFrame(frame, SteadyMs());
    Pump();
  }
}

void Call::OnAlarm() {
  if (step_ == Step::kAccepted) {
    StartPpp();
  } else if (step_ == Step::kRunning) {
    ppp_->OnTimer(SteadyMs());
  }
  Pump();
}

void Call::Pump() {
  if (step_ != Step::kRunning) {
    return;
  }
  std::shared_ptr<Call> self = shared_from_this();  // an effect may end the call
  for (ppp::Effect& effect : ppp_->TakeEffects()) {
    effects_.push_back(std::move(effect));
  }
  if (pumping_) {
    return;  // an effect was answered at once; the loop below goes on with what came of it
  }
  pumping_ = true;
  while (!effects_.empty() && !unconfirmed_ && step_ == Step::kRunning) {
    ppp::Effect effect = std::move(effects_.front());
    effects_.pop_front();
    std::visit([this](auto& typed) { Apply(typed); }, effect);
  }
  pumping_ = false;
  if (step_ == Step::kRunning) {
    alarm_.Set(ppp_->deadline_ms());
  }
}

void Call::Apply(ppp::SendFrame& effect) {
  shard_->services().dataplane->SendFrame(handle_, effect.data);
}

void Call::Apply(ppp::Program& effect) { Upsert(effect.state); }

void Call::Upsert(const ppp::DataplaneState& state) {
  v1::Operation operation = UpsertOperation();
  v1::CallConfig& config = *operation.mutable_upsert();
  config.set_send_acfc(state.send_acfc);
  config.set_send_pfc(state.send_pfc);
  config.set_peer_mru(state.peer_mru);
  config.set_mtu(state.mtu);
  config.set_client_address(state.client_address);
  config.set_require_encryption(state.require_encryption);
  if (state.receive) {
    SetKey(*config.mutable_receive(), *state.receive);
  }
  if (state.send) {
    SetKey(*config.mutable_send(), *state.send);
  }
  if (state.echo) {
    SetKeepalive(*state.echo, config.mutable_keepalive());
  }
  if (state.client_address == 0) {
    config.clear_routes();
  }
  rate_changes_sent_.insert(rate_changes_sent_.end(), rate_changes_.begin(), rate_changes_.end());
  rate_changes_.clear();
  unconfirmed_ = true;
  shard_->Program(std::move(operation), [self = shared_from_this()](const v1::Result& result) {
    self->OnUpsert(result);
  });
}

void Call::OnUpsert(const v1::Result& result) {
  unconfirmed_ = false;
  if (step_ == Step::kEnded) {
    return;
  }
  if (result.code() != 0) {
    return End(EndCause::kDataplane, absl::StrCat("data plane: ", result.message()),
               pptp::DisconnectResult::kError);
  }
  for (const RateChanged& done : std::exchange(rate_changes_sent_, {})) {
    done(rates());
  }
  Pump();
}

void Call::SetRate(const RateChange& change, RateChanged done) {
  if (change.upstream_bps) {
    rate_override_.upstream_bps = change.upstream_bps;
  }
  if (change.downstream_bps) {
    rate_override_.downstream_bps = change.downstream_bps;
  }
  rate_changes_.push_back(std::move(done));
  if (step_ == Step::kAccepted) {
    StartPpp();
  }
  ppp_->ProgramAgain();
  Pump();
}

void Call::AnswerRateChanges(const absl::Status& status) {
  for (std::vector<RateChanged>* waiting : {&rate_changes_sent_, &rate_changes_}) {
    for (const RateChanged& done : std::exchange(*waiting, {})) {
      done(status);
    }
  }
}

void Call::OnEvent(v1::Event::Kind kind) {
  switch (kind) {
    case v1::Event::DEAD:
      return EndThroughLcp(EndCause::kLostCarrier, pptp::DisconnectResult::kLostCarrier,
                           "the client is silent: no LCP Echo-Reply");
    case v1::Event::IDLE:
      return EndThroughLcp(EndCause::kIdleTimeout, pptp::DisconnectResult::kShutdown,
                           "idle timeout");
    case v1::Event::QUOTA:
      return EndThroughLcp(EndCause::kOctetQuota, pptp::DisconnectResult::kShutdown,
                           "the octet quota is used up");
    case v1::Event::MPPE_FAILED:
      if (step_ == Step::kRunning) {
        ppp_->RenegotiateCcp(SteadyMs());
        Pump();
      }
      return;
    case v1::Event::SEQUENCE_RESTART:
      // LCP would reach the new session, if anybody.
      return End(EndCause::kLostCarrier, "the client has begun another GRE session",
                 pptp::DisconnectResult::kLostCarrier);
    default:
      return;
  }
}

void Call::EndThroughLcp(EndCause cause, pptp::DisconnectResult result, std::string_view reason) {
  if (step_ != Step::kRunning) {
    return End(cause, reason, result);
  }
  end_cause_ = cause;
  end_result_ = result;
  ppp_->Terminate(std::string(reason), SteadyMs());
  Pump();
}

void Call::Apply(ppp::Authenticate& effect) {
  const AuthMethod method = effect.request.method();
  // When LCP has come up anew the answer brings addresses again.
  shard_->services().admission->Release(std::exchange(lease_, {}));
  effect.request.call = {.id = id(),
                         .nas_port = static_cast<uint32_t>(handle_),
                         .peer_address = identity_.peer_address,
                         .local_address = identity_.local_address,
                         .listener = identity_.listener};
  shard_->services().admission->Authenticate(
      std::move(effect.request), [self = shared_from_this(), method](AuthResult result) {
        self->OnAuthResult(method, std::move(result));
      });
}

void Call::OnAuthResult(AuthMethod method, AuthResult result) {
  if (step_ == Step::kEnded) {
    return shard_->services().admission->Release(result.lease);
  }
  lease_ = result.lease;
  grants_ = result.grants;
  report_.OnAuthResult(method, result);
  ppp_->OnAuthResult(std::move(result), SteadyMs());
  Pump();
}

void Call::Apply(ppp::Authenticated& effect) {
  report_.OnAuthenticated(effect.method, effect.user);
}

void Call::Apply(ppp::Up& effect) { report_.OnUp(effect.client_address, effect.mppe_bits); }

void Call::Apply(ppp::Changed& effect) { report_.OnChanged(ppp_->phase(), ppp_->mppe_bits()); }

void Call::Apply(ppp::Ended& effect) { End(end_cause_, effect.reason, end_result_); }

void Call::OnClearRequest() {
  End(EndCause::kClientHangUp, "client hung up", pptp::DisconnectResult::kRequest);
}

void Call::OnOwnerLost(EndCause cause, std::string_view reason) {
  End(cause, reason, std::nullopt);
}

void Call::OnDataplaneDown() {
  End(EndCause::kDataplane, "the data plane is gone", pptp::DisconnectResult::kError);
}

void Call::Shutdown() { End(EndCause::kShutdown, "shut down", pptp::DisconnectResult::kShutdown); }

void Call::Terminate(std::string_view reason) {
  EndThroughLcp(EndCause::kTerminated, pptp::DisconnectResult::kShutdown, reason);
}

void Call::End(EndCause cause, std::string_view reason,
               std::optional<pptp::DisconnectResult> notify) {
  if (step_ == Step::kEnded) {
    return;
  }
  std::shared_ptr<Call> self = shared_from_this();
  bool started = step_ != Step::kProgramming;
  step_ = Step::kEnded;
  end_cause_ = cause;
  end_reason_ = reason;
  effects_.clear();
  AnswerRateChanges(absl::NotFoundError("the call has ended"));
  alarm_.Set(std::nullopt);
  CallOwner* owner = std::exchange(owner_, nullptr);
  if (notify) {
    owner->Disconnect(identity_.call_id, *notify, started ? report_.Statistics() : "");
  }
  if (!started) {
    return;  // OnFirstUpsert() does the rest
  }
  shard_->Erase(this);
  v1::Operation removal;
  removal.set_remove(handle_);
  shard_->Program(std::move(removal),
                  [self](const v1::Result& result) { self->OnRemoved(result.final_counters()); });
}

void Call::OnRemoved(const v1::CallCounters& totals) {
  // Only now may another call have the addresses and, after a rest, the Call ID.
  shard_->services().admission->Release(std::exchange(lease_, {}));
  shard_->ReleaseCallId(identity_.local_address, identity_.call_id, /*used=*/true);
  report_.OnEnded(end_cause_, end_reason_, totals);
}

}  // namespace culvert
