// The life of a call: inputs, phases, the end.
#include "controlplane/ppp/call.h"

#include <algorithm>

#include "controlplane/ppp/call_impl.h"

namespace culvert::ppp {
namespace {

constexpr size_t kMaxHeld = 8;
constexpr size_t kMaxHeldLen = 256;  // no honest request of an NCP is longer

// MethodsToOffer: with MPPE required only those that give keys (RFC 3079).
std::vector<AuthMethod> MethodsToOffer(const PppSettings& settings) {
  std::vector<AuthMethod> methods = settings.methods;
  if (settings.mppe == MppePolicy::kRequire) {
    std::erase_if(methods, [](AuthMethod method) { return !GivesMppeKeys(method); });
  }
  return methods;
}

}  // namespace

PppCall::Impl::Impl(std::shared_ptr<const PppSettings> settings, Random random,
                    PppCounters* counters, uint64_t now_ms)
    : settings_(std::move(settings)),
      random_(std::move(random)),
      counters_(counters),
      now_ms_(now_ms),
      lcp_policy_(*settings_, MethodsToOffer(*settings_), random_),
      lcp_(wire::ppp::kLcp, wire::ppp::kProtocolReject, wire::ppp::kTimeRemaining, &lcp_policy_,
           this, *settings_, counters_),
      auth_(*settings_, random_, counters_, this),
      terms_(*settings_) {}

void PppCall::Impl::Start(uint64_t now_ms) {
  if (ended_ || phase_ != Phase::kDead) {
    return;
  }
  now_ms_ = now_ms;
  if (MethodsToOffer(*settings_).empty()) {
    return End(EndKind::kEncryption,
               "no allowed authentication method gives the keys that required MPPE needs");
  }
  setup_deadline_ms_ = now_ms + settings_->setup_timeout_ms;
  SetPhase(Phase::kEstablish);
  lcp_.Open(now_ms);
  lcp_.Up(now_ms);
  Settle();
}

void PppCall::Impl::OnFrame(wire::Octets frame, uint64_t now_ms) {
  if (ended_) {
    return;
  }
  now_ms_ = now_ms;
  if (const auto parsed = wire::ppp::ParseFrame(frame)) {
    Dispatch(*parsed, frame);
  } else {
    ++counters_->malformed_frames;
  }
  Settle();
}

void PppCall::Impl::OnTimer(uint64_t now_ms) {
  if (ended_) {
    return;
  }
  now_ms_ = now_ms;
  lcp_.OnTimer(now_ms);
  auth_.OnTimer(now_ms);
  if (network_running_) {
    network_->ccp.OnTimer(now_ms);
    network_->ipcp.OnTimer(now_ms);
    if (network_->ipv6 != nullptr) {
      network_->ipv6->ipv6cp.OnTimer(now_ms);
    }
  }
  if (ipcp_start_ms_ && now_ms >= *ipcp_start_ms_) {
    StartIpcp();
  }
  if (setup_deadline_ms_ && now_ms >= *setup_deadline_ms_) {
    setup_deadline_ms_.reset();
    TerminateLink(EndKind::kProtocol, "the call was not set up in time", "set-up took too long");
  }
  Settle();
}

void PppCall::Impl::Terminate(std::string reason, uint64_t now_ms) {
  if (ended_) {
    return;
  }
  now_ms_ = now_ms;
  TerminateLink(EndKind::kAsked, std::move(reason), "closed by the gateway");
  Settle();
}

void PppCall::Impl::ProgramAgain() {
  if (!ended_) {
    ProgramNow();
  }
}

void PppCall::Impl::OnLowerDown(std::string reason, uint64_t now_ms) {
  now_ms_ = now_ms;
  if (terminating_) {
    return End(end_kind_, end_reason_);
  }
  End(EndKind::kAsked, std::move(reason));
}

std::optional<uint64_t> PppCall::Impl::deadline_ms() const {
  std::optional<uint64_t> first;
  const auto add = [&first](std::optional<uint64_t> deadline) {
    if (deadline && (!first || *deadline < *first)) {
      first = deadline;
    }
  };
  if (ended_) {
    return first;
  }
  add(lcp_.deadline_ms());
  add(auth_.deadline_ms());
  add(setup_deadline_ms_);
  add(ipcp_start_ms_);
  if (network_running_) {
    add(network_->ccp.deadline_ms());
    add(network_->ipcp.deadline_ms());
    if (network_->ipv6 != nullptr) {
      add(network_->ipv6->ipv6cp.deadline_ms());
    }
  }
  return first;
}

void PppCall::Impl::Emit(Effect effect) {
  if (!ended_) {
    effects_.push_back(std::move(effect));
  }
}

void PppCall::Impl::Send(std::vector<uint8_t> frame) { Emit(SendFrame{std::move(frame)}); }

void PppCall::Impl::Settle() {
  if (program_due_) {
    ProgramNow();
  }
}

void PppCall::Impl::SetPhase(Phase phase) {
  if (phase_ != phase) {
    phase_ = phase;
    Emit(Changed{});
  }
}

void PppCall::Impl::End(EndKind kind, std::string reason) {
  if (ended_) {
    return;
  }
  phase_ = Phase::kDead;
  Emit(Ended{.kind = kind, .reason = std::move(reason)});
  ended_ = true;
  network_running_ = false;
  held_.clear();
  keys_ = {};
}

void PppCall::Impl::TerminateLink(EndKind kind, std::string reason, std::string_view wire_text) {
  if (ended_ || terminating_) {
    return;
  }
  terminating_ = true;
  end_kind_ = kind;
  end_reason_ = std::move(reason);
  setup_deadline_ms_.reset();
  auth_.Stop();
  SetPhase(Phase::kTerminate);
  lcp_.Close(wire_text, now_ms_);
  if (!TimerRuns(lcp_.state())) {
    End(end_kind_, end_reason_);  // there was nothing to close
  }
}

void PppCall::Impl::Dispatch(const wire::ppp::Frame& frame, wire::Octets whole) {
  if (frame.protocol == wire::ppp::kLcp) {
    return lcp_.OnPacket(frame.information, now_ms_);
  }
  if (!lcp_.opened() || terminating_) {
    ++counters_->out_of_phase;  // RFC 1661 s3.4
    return;
  }
  switch (frame.protocol) {
    case wire::ppp::kPap:
    case wire::ppp::kChap:
    case wire::ppp::kEap:
      return auth_.OnPacket(frame.protocol, frame.information, now_ms_);
    case wire::ppp::kCcp:
    case wire::ppp::kIpcp:
      return OnNetworkFrame(frame, whole);
    case wire::ppp::kIpv6cp:
      return OnIpv6cpFrame(frame, whole);
    case wire::ppp::kIpv6:
      return OnIpv6Data(frame);
    case wire::ppp::kIpv4:
    case wire::ppp::kMppe:
      ++counters_->out_of_phase;  // data has no business here
      return;
    default:
      return SendProtocolReject(frame);
  }
}

void PppCall::Impl::Hold(wire::Octets frame) {
  if (held_.size() >= kMaxHeld || frame.size() > kMaxHeldLen) {
    ++counters_->out_of_phase;
    return;
  }
  held_.emplace_back(frame.begin(), frame.end());
}

void PppCall::Impl::ReplayHeld() {
  const auto held = std::exchange(held_, {});
  for (const std::vector<uint8_t>& whole : held) {
    if (const auto frame = wire::ppp::ParseFrame(whole); frame && !ended_) {
      Dispatch(*frame, whole);
    }
  }
}

PppCall::PppCall(std::shared_ptr<const PppSettings> settings, Random random, PppCounters* counters,
                 uint64_t now_ms)
    : impl_(std::make_unique<Impl>(std::move(settings), std::move(random), counters, now_ms)) {}
PppCall::~PppCall() = default;

void PppCall::Start(uint64_t now_ms) { impl_->Start(now_ms); }
void PppCall::OnFrame(wire::Octets frame, uint64_t now_ms) { impl_->OnFrame(frame, now_ms); }
void PppCall::OnAuthResult(AuthResult result, uint64_t now_ms) {
  impl_->OnAuthResult(std::move(result), now_ms);
}
void PppCall::OnTimer(uint64_t now_ms) { impl_->OnTimer(now_ms); }
void PppCall::Terminate(std::string reason, uint64_t now_ms) {
  impl_->Terminate(std::move(reason), now_ms);
}
void PppCall::RenegotiateCcp(uint64_t now_ms) { impl_->RenegotiateCcp(now_ms); }
void PppCall::ProgramAgain() { impl_->ProgramAgain(); }
void PppCall::OnLowerDown(std::string reason, uint64_t now_ms) {
  impl_->OnLowerDown(std::move(reason), now_ms);
}
std::optional<uint64_t> PppCall::deadline_ms() const { return impl_->deadline_ms(); }
std::vector<Effect> PppCall::TakeEffects() { return impl_->TakeEffects(); }
Phase PppCall::phase() const { return impl_->phase(); }
uint16_t PppCall::mppe_bits() const { return impl_->mppe_bits(); }

}  // namespace culvert::ppp
