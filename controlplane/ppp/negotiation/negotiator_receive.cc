// The receiving half of Negotiator: which packets count (RFC 1661 s5) and which event they are.
#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "controlplane/ppp/negotiation/negotiator.h"

namespace culvert::ppp {

using wire::ppp::OptionList;
using wire::ppp::ParseControl;
using wire::ppp::ParseOptions;

namespace {

// A peer that never sends an acceptable request would keep us busy for ever (RFC 1661 bounds
// only what we send ourselves); this is more than any honest negotiation needs.
uint32_t MaxBadRequests(const PppSettings& settings) {
  return settings.max_failure + settings.max_configure;
}

bool SameOption(const wire::ppp::Option& a, const wire::ppp::Option& b) {
  return a.type == b.type &&
         std::equal(a.value.begin(), a.value.end(), b.value.begin(), b.value.end());
}

}  // namespace

void Negotiator::OnPacket(wire::Octets information, uint64_t now_ms) {
  const auto packet = ParseControl(information);
  if (!packet) {
    ++counters_->malformed_packets;
    return;
  }
  if (state_ <= State::kStarting) {
    ++counters_->out_of_phase;
    return;
  }
  switch (packet->code) {
    case wire::ppp::kConfigureRequest:
      return OnConfigureRequest(*packet, now_ms);
    case wire::ppp::kConfigureAck:
      return OnConfigureAck(*packet, now_ms);
    case wire::ppp::kConfigureNak:
    case wire::ppp::kConfigureReject:
      return OnConfigureNakOrReject(*packet, now_ms);
    case wire::ppp::kTerminateRequest: {
      SetEnding(Cause::kPeerTerminated, packet->data.empty()
                                            ? "the peer hung up"
                                            : "the peer hung up: " + Readable(packet->data));
      Apply(Event::kTerminateRequest, now_ms, &*packet);
      return owner_->OnTerminateRequest(protocol_);
    }
    case wire::ppp::kTerminateAck:
      return OnTerminateAck(*packet, now_ms);
    case wire::ppp::kCodeReject:
      return OnCodeReject(*packet, now_ms);
    default:
      return OnOtherCode(*packet, now_ms);
  }
}

void Negotiator::OnConfigureRequest(const Packet& packet, uint64_t now_ms) {
  const auto options = ParseOptions(packet.data);
  if (!options) {
    ++counters_->malformed_options;
    return;
  }
  if (state_ == State::kClosing || state_ == State::kStopping) {
    return;
  }
  if (IsRepeated(packet, now_ms)) {
    return owner_->Send(wire::ppp::EmitControl(protocol_, wire::ppp::kConfigureAck,
                                               packet.identifier, packet.data));
  }
  PeerRequest request{.packet = packet, .options = *options};
  PeerRequest* const outer = std::exchange(peer_request_, &request);
  if (state_ == State::kClosed) {
    Apply(Event::kRequestGood, now_ms, &packet);
  } else if (!JudgeRequest(&request)) {
    ++counters_->malformed_options;
  } else if (!CheckFailure()) {
    Apply(request.verdict == wire::ppp::kConfigureAck ? Event::kRequestGood : Event::kRequestBad,
          now_ms, &packet);
  }
  peer_request_ = outer;
}

bool Negotiator::IsRepeated(const Packet& packet, uint64_t now_ms) const {
  constexpr uint32_t kForMs = 10'000;
  return opened() && packet.identifier == acked_identifier_ && HashOf(packet.data) == acked_hash_ &&
         static_cast<uint32_t>(now_ms) - acked_ms_ < kForMs;
}

uint32_t Negotiator::HashOf(wire::Octets options) {
  return static_cast<uint32_t>(std::hash<std::string_view>()(
      {reinterpret_cast<const char*>(options.data()), options.size()}));
}

// JudgeRequest fills the verdict; false: an option is malformed.
bool Negotiator::JudgeRequest(PeerRequest* request) {
  OptionList rejects, naks, nakked;
  policy_->BeginRequest(request->options);
  for (const wire::ppp::Option& option : request->options) {
    switch (policy_->Judge(option, &naks)) {
      case Judgement::kAck:
        break;
      case Judgement::kNak:
        nakked.Add(option.type, option.value);
        break;
      case Judgement::kReject:
        rejects.Add(option.type, option.value);
        break;
      case Judgement::kMalformed:
        return false;
    }
  }
  SettleVerdict(std::move(rejects), std::move(naks), std::move(nakked), request);
  return true;
}

// SettleVerdict: Reject goes before Nak; after Max-Failure Naks a Nak becomes a Reject and
// nothing is added to it (RFC 1661 s5.3, s5.4, s4.6).
void Negotiator::SettleVerdict(OptionList rejects, OptionList naks, OptionList nakked,
                               PeerRequest* request) {
  const auto set = [request](uint8_t code, wire::Octets data) {
    request->verdict = code;
    request->verdict_data.assign(data.begin(), data.end());
  };
  if (!rejects.empty()) {
    return set(wire::ppp::kConfigureReject, rejects.octets());
  }
  const bool exhausted = num_naks_sent_ >= settings_.max_failure;
  if (exhausted && !nakked.empty()) {
    return set(wire::ppp::kConfigureReject, nakked.octets());
  }
  policy_->AddMissing(request->options, &naks);
  if (naks.empty()) {
    return set(wire::ppp::kConfigureAck, {});
  }
  set(wire::ppp::kConfigureNak, naks.octets());
  if (exhausted) {
    num_bad_requests_ = MaxBadRequests(settings_);  // what is missing cannot be done without
  }
}

bool Negotiator::CheckFailure() {
  std::string why(policy_->failure());
  if (why.empty() && num_bad_requests_ >= MaxBadRequests(settings_)) {
    why = "the peer's requests stay unacceptable";
  }
  if (why.empty() && num_refusals_ > settings_.max_configure) {
    why = "the peer refuses whatever we request";
  }
  if (why.empty()) {
    return false;
  }
  if (!failed_) {
    failed_ = true;
    owner_->OnNegotiationFailed(protocol_, why);
  }
  return true;
}

bool Negotiator::IsAnswer(const Packet& packet) const {
  return request_outstanding_ && packet.identifier == request_identifier_;
}

void Negotiator::OnConfigureAck(const Packet& packet, uint64_t now_ms) {
  if (state_ >= State::kReqSent) {
    // RFC 1661 s5.2: the options must be exactly those we sent.
    if (!IsAnswer(packet) ||
        !std::equal(packet.data.begin(), packet.data.end(), request_.begin(), request_.end())) {
      ++counters_->bad_identifiers;
      return;
    }
    request_outstanding_ = false;
    request_ = {};  // the next one is made anew
    num_refusals_ = 0;
  }
  Apply(Event::kAck, now_ms, &packet);
}

// IsInOrder checks a Nak or Reject against our request (RFC 1661 s5.3, s5.4): its options in the
// order of the request; those of a Reject unchanged and none added.
bool Negotiator::IsInOrder(const Options& options, bool is_reject) const {
  const auto ours = ParseOptions(request_);
  auto next = ours->begin();
  for (const wire::ppp::Option& option : options) {
    const auto found = std::find_if(next, ours->end(), [&](const wire::ppp::Option& mine) {
      return is_reject ? SameOption(mine, option) : mine.type == option.type;
    });
    if (found != ours->end()) {
      next = found + 1;
    } else if (is_reject || Find(*ours, option.type) != nullptr) {
      return false;
    }
  }
  return !options.empty();
}

void Negotiator::OnConfigureNakOrReject(const Packet& packet, uint64_t now_ms) {
  if (state_ < State::kReqSent) {
    return Apply(Event::kNakOrReject, now_ms, &packet);
  }
  if (!IsAnswer(packet)) {
    ++counters_->bad_identifiers;
    return;
  }
  const bool is_reject = packet.code == wire::ppp::kConfigureReject;
  const auto options = ParseOptions(packet.data);
  if (!options || !IsInOrder(*options, is_reject)) {
    ++counters_->malformed_options;
    return;
  }
  request_outstanding_ = false;
  ++num_refusals_;
  for (const wire::ppp::Option& option : *options) {
    is_reject ? policy_->OnReject(option) : policy_->OnNak(option);
  }
  if (!CheckFailure()) {
    Apply(Event::kNakOrReject, now_ms, &packet);
  }
}

void Negotiator::OnTerminateAck(const Packet& packet, uint64_t now_ms) {
  // A stray one must not take an open layer down; a peer that is closed answers our request.
  const bool to_terminate = terminating_ && packet.identifier == terminate_identifier_;
  const bool to_request = request_outstanding_ && packet.identifier == request_identifier_;
  if (!to_terminate && !to_request && (state_ == State::kOpened || state_ == State::kClosing)) {
    ++counters_->bad_identifiers;
    return;
  }
  Apply(Event::kTerminateAck, now_ms, &packet);
}

void Negotiator::OnCodeReject(const Packet& packet, uint64_t now_ms) {
  if (packet.data.empty()) {
    ++counters_->malformed_packets;
    return;
  }
  const uint8_t code = packet.data.front();
  // RFC 1661 s5.6: without the codes that every implementation has nothing works.
  if (code >= wire::ppp::kConfigureRequest && code <= wire::ppp::kCodeReject) {
    SetEnding(Cause::kPeerRejects, "the peer rejects a code that it must have");
    return Apply(Event::kRejectFatal, now_ms, &packet);
  }
  Apply(Event::kRejectHarmless, now_ms, &packet);
  owner_->OnCodeRejected(protocol_, code);
}

void Negotiator::OnOtherCode(const Packet& packet, uint64_t now_ms) {
  if (packet.code < first_extra_code_ || packet.code > last_extra_code_) {
    return Apply(Event::kUnknownCode, now_ms, &packet);
  }
  const bool is_echo =
      packet.code >= wire::ppp::kEchoRequest && packet.code <= wire::ppp::kDiscardRequest;
  if (is_echo) {
    return Apply(Event::kEcho, now_ms, &packet);  // ser calls the owner
  }
  owner_->OnExtraPacket(protocol_, packet);
}

}  // namespace culvert::ppp
