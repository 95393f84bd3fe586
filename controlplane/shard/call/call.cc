#include "controlplane/shard/call/call.h"

#include <absl/strings/str_cat.h>

#include "controlplane/hooks/hook_facts.h"
#include "controlplane/shard/random.h"
#include "controlplane/shard/shard.h"

namespace culvert {

namespace v1 = dataplane::v1;

namespace {

void SetKeepalive(const ppp::EchoOffload& echo, v1::Keepalive* keepalive) {
  keepalive->set_interval_s(echo.interval_s);
  keepalive->set_misses(echo.failures);
  keepalive->set_magic(echo.magic);
  keepalive->set_peer_magic(echo.peer_magic);
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
      settings_(shard->settings()),
      owner_(owner),
      identity_(identity),
      report_(&shard->services(), identity),
      terms_(&settings_->listener_rates[identity.listener]),
      alarm_(shard->loop(), [this] { OnAlarm(); }) {
  shard_->OnCallMade();
}

Call::~Call() { shard_->OnCallGone(); }

v1::Operation Call::UpsertOperation() {
  v1::Operation operation;
  v1::CallConfig& config = *operation.mutable_upsert();
  config = settings_->call_template;
  config.set_handle(handle_);
  config.set_local_address(identity_.local_address);
  config.set_call_id(identity_.call_id);
  config.set_peer_address(identity_.peer_address);
  config.set_peer_call_id(identity_.peer_call_id);
  if (settings_->honour_peer_window) {
    config.set_peer_window(identity_.peer_window);
  }
  terms_.Fill(&config);
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
  ppp_ = std::make_unique<ppp::PppCall>(settings_->ppp, FillRandom, &shard_->ppp_counters(),
                                        SteadyMs());
  if (!identity_.incoming) {
    AwaitPeer();
  }
  owner_->Accept(identity_.call_id);
}

void Call::OnConnected(uint16_t peer_window) {
  identity_.peer_window = peer_window;  // in the upserts to come
  if (step_ == Step::kAccepted) {
    AwaitPeer();
  }
}

// AwaitPeer: clients open their GRE socket after our reply, and NATs learn of it by their first
// packet: an earlier Configure-Request is often lost.
void Call::AwaitPeer() { alarm_.Set(SteadyMs() + settings_->lcp_delay_ms); }

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
  } else if (step_ == Step::kRunning && SessionIsOver()) {
    return EndThroughLcp(EndCause::kSessionTimeout, pptp::DisconnectResult::kShutdown,
                         "session timeout");
  } else if (step_ == Step::kRunning) {
    ppp_->OnTimer(SteadyMs());
    Say(ipv6_.OnTimer(SteadyMs()));
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
    SetAlarm();
  }
}

void Call::Apply(ppp::SendFrame& effect) {
  shard_->services().dataplane->SendFrame(handle_, effect.data);
}

void Call::Apply(ppp::Program& effect) {
  programmed_ = std::make_unique<ppp::Program>(std::move(effect));
  Upsert(programmed_->state);
}

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
  report_.OnRoutesLeftOut(
      ipv6_.Fill(state.client_interface_id, lease_, terms_.grants().ipv6, &config));
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
  std::unique_ptr<ppp::Program> programmed = std::exchange(programmed_, nullptr);
  if (result.code() == 0) {
    if (terms_.OnConfirmed()) {
      report_.OnTermsChanged(terms_.grants());
      RunChangeHook();
    }
  } else if (terms_.OnRefused(absl::Status(static_cast<absl::StatusCode>(result.code()),
                                           absl::StrCat("data plane: ", result.message())))) {
    effects_.emplace_front(std::move(*programmed));  // once more, as it is without the change
  } else {
    return End(EndCause::kDataplane, absl::StrCat("data plane: ", result.message()),
               pptp::DisconnectResult::kError);
  }
  Pump();
}

void Call::Change(CallChange change, CallChanged done) {
  if (absl::Status status = Check(change); !status.ok()) {
    return done(status);
  }
  terms_.Add(std::move(change), std::move(done));
  if (step_ == Step::kAccepted) {
    StartPpp();
  }
  ppp_->ProgramAgain();
  Pump();
}

bool Call::SessionIsOver() const {
  const std::optional<uint64_t> deadline_ms = session_deadline_ms();
  return deadline_ms && !ending_ && SteadyMs() >= *deadline_ms;
}

std::optional<uint64_t> Call::session_deadline_ms() const {
  const uint32_t timeout_s = terms_.grants().session_timeout_s.value_or(0);
  if (timeout_s == 0 || up_ms_ == 0) {
    return std::nullopt;
  }
  return up_ms_ + uint64_t{timeout_s} * 1000;
}

void Call::SetAlarm() {
  std::optional<uint64_t> next_ms = ppp_->deadline_ms();
  if (const std::optional<uint64_t> end_ms = session_deadline_ms(); end_ms && !ending_) {
    next_ms = std::min(next_ms.value_or(*end_ms), *end_ms);
  }
  if (const std::optional<uint64_t> ipv6_ms = ipv6_.deadline_ms()) {
    next_ms = std::min(next_ms.value_or(*ipv6_ms), *ipv6_ms);
  }
  alarm_.Set(next_ms);
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
  if (std::exchange(ending_, true)) {
    return;  // LCP is at it, and the first reason is the true one
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
                         .listener = identity_.listener,
                         .names = identity_.names};
  const uint8_t eap_type = effect.request.eap_type();
  shard_->services().admission->Authenticate(
      std::move(effect.request), [self = shared_from_this(), method, eap_type](AuthResult result) {
        result.eap_type = eap_type;
        self->OnAuthResult(method, std::move(result));
      });
}

void Call::OnAuthResult(AuthMethod method, AuthResult result) {
  if (step_ == Step::kEnded) {
    return shard_->services().admission->Release(result.lease);
  }
  lease_ = result.lease;
  if (result.verdict == AuthVerdict::kAccept) {
    terms_.SetGrants(result.grants);
  }
  report_.OnAuthResult(method, result);
  ppp_->OnAuthResult(std::move(result), SteadyMs());
  Pump();
}

void Call::Apply(ppp::Authenticated& effect) {
  report_.OnAuthenticated(effect.method, effect.user);
}

void Call::Apply(ppp::Up& effect) {
  if (up_ms_ == 0) {
    up_ms_ = SteadyMs();
  }
  report_.OnUp(effect.client_address, effect.mppe_bits);
  RunUpHooks(effect);
}

void Call::Apply(ppp::Ipv6Up& effect) {
  ipv6_.Up(effect, settings_->link, lease_, terms_.grants().ipv6, &shard_->link_counters(),
           SteadyMs());
  report_.OnIpv6(effect.client_id, lease_.prefix);
  Say(ipv6_.OnTimer(SteadyMs()));
}

void Call::Apply(ppp::Ipv6Down& effect) {
  ipv6_.Down();
  report_.OnIpv6(0, std::nullopt);
}

void Call::Apply(ppp::Ipv6Packet& effect) { Say(ipv6_.OnPacket(effect.packet, SteadyMs())); }

void Call::Say(CallIpv6::Frames frames) {
  if (ipv6_.TakeChange()) {
    report_.OnIpv6Delegated(ipv6_.delegates() ? lease_.delegated_prefix : std::nullopt);
    ppp_->ProgramAgain();
  }
  for (ppp::Effect& effect : ppp_->TakeEffects()) {
    effects_.push_back(std::move(effect));
  }
  for (ppp::SendFrame& frame : frames) {
    effects_.emplace_back(std::move(frame));
  }
}

void Call::Apply(ppp::Changed& effect) { report_.OnChanged(ppp_->phase(), ppp_->mppe_bits()); }

void Call::Apply(ppp::Ended& effect) {
  End(ending_ ? end_cause_ : EndCauseOf(effect.kind), effect.reason, end_result_);
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

void Call::Terminate(EndCause cause, std::string_view reason) {
  if (cause == EndCause::kReplaced) {  // a client that has dialled anew does not answer its old LCP
    return End(cause, reason, pptp::DisconnectResult::kShutdown);
  }
  EndThroughLcp(cause, pptp::DisconnectResult::kShutdown, reason);
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
  terms_.Abandon(absl::NotFoundError("the call has ended"));
  programmed_.reset();
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
  RunDownHook(totals);
}

}  // namespace culvert
