#include "controlplane/ppp/negotiation/negotiator.h"

#include <algorithm>

namespace culvert::ppp {
namespace {

using wire::ppp::EmitControl;
using wire::ppp::OptionList;

constexpr uint32_t kMaxBackoff = 3;  // times the first restart timer
constexpr uint32_t kMaxCodeRejectsASecond = 10;
constexpr size_t kMaxRejectedLen = 124;  // of a rejected packet: fits any MRU (128 at least)

}  // namespace

Negotiator::Negotiator(uint16_t protocol, uint8_t first_extra_code, uint8_t last_extra_code,
                       OptionPolicy* policy, NegotiatorOwner* owner, const PppSettings& settings,
                       PppCounters* counters)
    : protocol_(protocol),
      first_extra_code_(first_extra_code),
      last_extra_code_(last_extra_code),
      policy_(policy),
      owner_(owner),
      settings_(settings),
      counters_(counters) {}

void Negotiator::Close(std::string_view text, uint64_t now_ms) {
  SetEnding(Cause::kClosed, std::string(text));
  ending_->terminate_text = text;
  Apply(Event::kClose, now_ms);
}

void Negotiator::SetEnding(Cause cause, std::string reason) {
  if (ending_ == nullptr) {
    ending_ = std::make_unique<Ending>();
  }
  ending_->cause = cause;
  ending_->reason = std::move(reason);
}

void Negotiator::OnProtocolReject(uint64_t now_ms) {
  SetEnding(Cause::kPeerRejects, "the peer rejects the protocol");
  Apply(Event::kRejectFatal, now_ms);
}

void Negotiator::OnTimer(uint64_t now_ms) {
  if (!deadline_ms_ || now_ms < *deadline_ms_) {
    return;
  }
  deadline_ms_.reset();
  if (restart_count_ > 0) {
    timeout_ms_ = std::min(2 * timeout_ms_, kMaxBackoff * settings_.restart_timer_ms);
    Apply(Event::kTimeoutRetry, now_ms);
    return;
  }
  if (state_ >= State::kReqSent) {
    SetEnding(Cause::kPeerSilent, "the peer does not answer");
  }
  Apply(Event::kTimeoutLast, now_ms);
}

void Negotiator::Apply(Event event, uint64_t now_ms, const Packet* packet) {
  const Transition& transition = Lookup(state_, event);
  if (!transition.possible) {
    return;
  }
  const bool was_idle = state_ <= State::kStopped;
  // Entered before the actions run, so that an owner which is told of them may act on us.
  state_ = transition.next;
  if (was_idle && state_ >= State::kReqSent) {
    StartAgain();
  }
  const uint32_t event_number = ++num_events_;
  for (Action action : transition.actions) {
    if (action == Action::kNone) {
      break;
    }
    Perform(action, now_ms, packet);
    if (num_events_ != event_number) {
      return;
    }
  }
  if (!TimerRuns(state_)) {
    deadline_ms_.reset();
  }
}

void Negotiator::Perform(Action action, uint64_t now_ms, const Packet* packet) {
  switch (action) {
    case Action::kTlu:
      return owner_->OnLayerUp(protocol_);
    case Action::kTld:
      StartAgain();
      return owner_->OnLayerDown(protocol_);
    case Action::kTlf:
      return owner_->OnLayerFinished(protocol_);
    case Action::kIrc:
      restart_count_ = state_ == State::kClosing || state_ == State::kStopping
                           ? settings_.max_terminate
                           : settings_.max_configure;
      timeout_ms_ = settings_.restart_timer_ms;
      terminating_ = false;
      return;
    case Action::kZrc:
      restart_count_ = 0;
      timeout_ms_ = settings_.restart_timer_ms;
      return StartTimer(now_ms);
    case Action::kScr:
      return SendRequest(now_ms);
    case Action::kSca:
      return SendAck(now_ms);
    case Action::kScn:
      return SendNakOrReject();
    case Action::kStr:
      return SendTerminateRequest(now_ms);
    case Action::kSta:
      return owner_->Send(EmitControl(protocol_, wire::ppp::kTerminateAck, packet->identifier, {}));
    case Action::kScj:
      return SendCodeReject(*packet, now_ms);
    case Action::kSer:
      return owner_->OnExtraPacket(protocol_, *packet);
    case Action::kTls:
    case Action::kNone:
      return;
  }
}

void Negotiator::StartAgain() {
  policy_->Reset();
  request_outstanding_ = false;
  num_naks_sent_ = num_bad_requests_ = num_refusals_ = 0;
  restart_count_ = settings_.max_configure;
  timeout_ms_ = settings_.restart_timer_ms;
}

void Negotiator::StartTimer(uint64_t now_ms) { deadline_ms_ = now_ms + timeout_ms_; }

void Negotiator::SendRequest(uint64_t now_ms) {
  OptionList options;
  policy_->EmitRequest(&options);
  const wire::Octets octets = options.octets();
  // RFC 1661 s5.1: a new identifier when the content changes or after a valid reply.
  if (!request_outstanding_ ||
      !std::equal(octets.begin(), octets.end(), request_.begin(), request_.end())) {
    request_identifier_ = NextIdentifier();
    request_.assign(octets.begin(), octets.end());
  }
  request_outstanding_ = true;
  restart_count_ -= restart_count_ > 0 ? 1 : 0;
  StartTimer(now_ms);
  owner_->BeforeConfigure(protocol_, wire::ppp::kConfigureRequest);
  owner_->Send(EmitControl(protocol_, wire::ppp::kConfigureRequest, request_identifier_, request_));
}

void Negotiator::SendAck(uint64_t now_ms) {
  acked_identifier_ = peer_request_->packet.identifier;
  acked_hash_ = HashOf(peer_request_->packet.data);
  acked_ms_ = static_cast<uint32_t>(now_ms);
  num_naks_sent_ = num_bad_requests_ = 0;
  policy_->Accept(peer_request_->options);
  owner_->BeforeConfigure(protocol_, wire::ppp::kConfigureAck);
  owner_->Send(EmitControl(protocol_, wire::ppp::kConfigureAck, peer_request_->packet.identifier,
                           peer_request_->packet.data));
}

void Negotiator::SendNakOrReject() {
  num_naks_sent_ += peer_request_->verdict == wire::ppp::kConfigureNak ? 1 : 0;
  ++num_bad_requests_;
  owner_->Send(EmitControl(protocol_, peer_request_->verdict, peer_request_->packet.identifier,
                           peer_request_->verdict_data));
}

void Negotiator::SendTerminateRequest(uint64_t now_ms) {
  if (!terminating_) {
    terminate_identifier_ = NextIdentifier();
    terminating_ = true;
  }
  restart_count_ -= restart_count_ > 0 ? 1 : 0;
  StartTimer(now_ms);
  const std::string_view text = ending_ != nullptr ? ending_->terminate_text : std::string_view();
  owner_->Send(EmitControl(protocol_, wire::ppp::kTerminateRequest, terminate_identifier_,
                           {reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
}

void Negotiator::SendCodeReject(const Packet& packet, uint64_t now_ms) {
  ++counters_->unknown_codes;
  if (num_code_rejects_ == 0 || now_ms - code_rejects_since_ms_ >= 1000) {
    code_rejects_since_ms_ = now_ms;
    num_code_rejects_ = 0;
  }
  if (++num_code_rejects_ > kMaxCodeRejectsASecond) {
    return;
  }
  // The rejected packet as a frame, without its protocol field.
  std::vector<uint8_t> rejected =
      EmitControl(protocol_, packet.code, packet.identifier, packet.data);
  const wire::Octets data = wire::Octets(rejected).subspan(2);
  owner_->Send(EmitControl(protocol_, wire::ppp::kCodeReject, NextIdentifier(),
                           data.first(std::min(data.size(), kMaxRejectedLen))));
}

std::string Readable(wire::Octets text) {
  std::string out;
  for (uint8_t c : text.first(std::min<size_t>(text.size(), 64))) {
    out += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
  }
  return out;
}

}  // namespace culvert::ppp
