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

AuthMethod MethodOf(const AuthRequest& request) {
  struct Visitor {
    AuthMethod operator()(const PapExchange&) const { return AuthMethod::kPap; }
    AuthMethod operator()(const ChapMd5Exchange&) const { return AuthMethod::kChapMd5; }
    AuthMethod operator()(const MsChapExchange&) const { return AuthMethod::kMsChap; }
    AuthMethod operator()(const MsChapV2Exchange&) const { return AuthMethod::kMsChapV2; }
  };
  return std::visit(Visitor{}, request.exchange);
}

void SetKey(v1::MppeKey& key, const ppp::MppeDirection& direction) {
  key.set_bits(direction.bits);
  key.set_epoch(direction.epoch);
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
  config.set_handle(handle_);
  config.set_local_address(identity_.local_address);
  config.set_call_id(identity_.call_id);
  config.set_peer_address(identity_.peer_address);
  config.set_peer_call_id(identity_.peer_call_id);
  config.set_receive_window(shard_->services().control_settings->receive_window);
  return operation;
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
                                        &shard_->ppp_counters(), identity_.peer_address,
                                        identity_.local_address, now_ms);
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
  Pump();
}

void Call::Apply(ppp::Authenticate& effect) {
  AuthMethod method = MethodOf(effect.request);
  if (client_address_ != 0) {  // LCP came up anew: the answer brings an address again
    shard_->services().pools->Release(std::exchange(client_address_, 0), SteadyMs());
  }
  shard_->services().authenticator->Authenticate(
      std::move(effect.request), [self = shared_from_this(), method](AuthResult result) {
        self->OnAuthResult(method, std::move(result));
      });
}

void Call::OnAuthResult(AuthMethod method, AuthResult result) {
  if (step_ == Step::kEnded) {
    if (result.client_address != 0) {
      shard_->services().pools->Release(result.client_address, SteadyMs());
    }
    return;
  }
  client_address_ = result.client_address;
  report_.OnAuthResult(method, result);
  ppp_->OnAuthResult(std::move(result), SteadyMs());
  Pump();
}

void Call::Apply(ppp::Authenticated& effect) {
  report_.OnAuthenticated(effect.method, effect.user);
}

void Call::Apply(ppp::Up& effect) { report_.OnUp(effect.client_address, effect.mppe_bits); }

void Call::Apply(ppp::Changed& effect) { report_.OnChanged(ppp_->phase(), ppp_->mppe_bits()); }

void Call::Apply(ppp::Ended& effect) {
  if (terminating_) {
    End(EndCause::kTerminated, effect.reason, pptp::DisconnectResult::kShutdown);
  } else {
    End(EndCause::kPpp, effect.reason, pptp::DisconnectResult::kLostCarrier);
  }
}

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
  terminating_ = true;
  if (step_ == Step::kRunning) {
    ppp_->Terminate(std::string(reason), SteadyMs());
    return Pump();
  }
  End(EndCause::kTerminated, reason, pptp::DisconnectResult::kShutdown);
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
  // Only now may another call have the address and, after a rest, the Call ID.
  if (client_address_ != 0) {
    shard_->services().pools->Release(std::exchange(client_address_, 0), SteadyMs());
  }
  shard_->ReleaseCallId(identity_.local_address, identity_.call_id, /*used=*/true);
  report_.OnEnded(end_cause_, end_reason_, totals);
}

}  // namespace culvert
