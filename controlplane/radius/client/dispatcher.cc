#include "controlplane/radius/client/dispatcher.h"

#include <algorithm>

#include "controlplane/radius/client/reply_check.h"
#include "controlplane/radius/signing.h"

namespace culvert::radius {

namespace {
constexpr uint64_t kUsPerMs = 1000;
}  // namespace

// Exchange is one request on its way; it always has an identifier of one server.
struct Dispatcher::Exchange {
  Request request;
  Answered done;  // none: a probe of ours
  std::vector<bool> tried;
  size_t server = 0;
  size_t channel = 0;
  uint8_t identifier = 0;
  AuthenticatorOctets authenticator{};
  std::vector<uint8_t> octets;
  uint32_t transmissions = 0;  // to this server
  uint64_t timeout_ms = 0;     // RT of RFC 5080
  uint64_t first_sent_us = 0;  // to this server
  uint64_t due_us = 0;         // as it stands in timers_
  uint64_t deadline_us = 0;
};

Dispatcher::Channel::Channel() {
  for (size_t i = 0; i < kNumIdentifiers; ++i) {
    free.push_back(static_cast<uint8_t>(i));
  }
}

std::string_view OutcomeText(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAnswered:
      return "answered";
    case Outcome::kTimeout:
      return "no RADIUS server answered in time";
    case Outcome::kOverload:
      return "too many requests to the RADIUS servers are outstanding";
    case Outcome::kNotEncoded:
      return "the request does not fit into a RADIUS packet";
    case Outcome::kNoServer:
      return "there is no RADIUS server";
    case Outcome::kStopped:
      return "the RADIUS client was stopped";
  }
  return "unknown";
}

Dispatcher::Dispatcher(Service service, std::vector<ServerSettings> servers,
                       RetransmissionTimes times, std::vector<std::shared_ptr<ServerStats>> stats,
                       Outside* outside)
    : service_(service), times_(times), outside_(outside), choice_(servers) {
  for (size_t i = 0; i < servers.size(); ++i) {
    servers_.emplace_back();
    servers_.back().settings = std::move(servers[i]);
    servers_.back().stats = std::move(stats[i]);
  }
}

Dispatcher::~Dispatcher() = default;

void Dispatcher::Send(Request request, Answered done, uint64_t now_us) {
  auto exchange = std::make_unique<Exchange>();
  exchange->request = std::move(request);
  exchange->done = std::move(done);
  exchange->tried.resize(servers_.size());
  exchange->deadline_us = now_us + times_.deadline_ms * kUsPerMs;
  if (servers_.empty()) {
    return Finish(std::move(exchange), Outcome::kNoServer);
  }
  if (std::optional<size_t> only = exchange->request.server; only && *only < servers_.size()) {
    exchange->tried.assign(servers_.size(), true);
    exchange->tried[*only] = false;
  }
  Place(std::move(exchange), now_us);
}

// Place finds a server that was not tried and has an identifier left.
void Dispatcher::Place(std::unique_ptr<Exchange> exchange, uint64_t now_us) {
  while (std::optional<size_t> server = choice_.Choose(exchange->tried, now_us / kUsPerMs)) {
    exchange->tried[*server] = true;
    if (PlaceAt(*server, exchange, now_us)) {
      return;
    }
    choice_.OnNotSent(*server);
    if (exchange->octets.empty()) {
      return Finish(std::move(exchange), Outcome::kNotEncoded);
    }
  }
  Finish(std::move(exchange), Outcome::kOverload);
}

bool Dispatcher::PlaceAt(size_t index, std::unique_ptr<Exchange>& exchange, uint64_t now_us) {
  Server& server = servers_[index];
  const auto slot = TakeIdentifier(server);
  exchange->octets.assign(1, 0);  // not empty: it is not the packet that is wrong
  if (!slot) {
    return false;
  }
  exchange->server = index;
  exchange->channel = slot->first;
  exchange->identifier = slot->second;
  Channel& channel = *server.channels[exchange->channel];
  if (!Encode(*exchange)) {
    exchange->octets.clear();
    channel.free.push_back(exchange->identifier);
    return false;
  }
  exchange->transmissions = 1;
  exchange->first_sent_us = now_us;
  exchange->timeout_ms = 0;
  Exchange* const placed = exchange.get();
  channel.slots[placed->identifier] = std::move(exchange);
  (placed->done ? server.stats->requests : server.stats->probes)
      .fetch_add(1, std::memory_order_relaxed);
  server.stats->outstanding.fetch_add(1, std::memory_order_relaxed);
  SetTimer(placed, now_us);
  outside_->Transmit(index, placed->channel, placed->octets);
  return true;
}

std::optional<std::pair<size_t, uint8_t>> Dispatcher::TakeIdentifier(Server& server) {
  for (size_t i = 0; i <= server.channels.size() && i < kMaxChannels; ++i) {
    if (i == server.channels.size()) {
      server.channels.push_back(std::make_unique<Channel>());
    }
    Channel& channel = *server.channels[i];
    if (!channel.free.empty()) {
      const uint8_t identifier = channel.free.front();
      channel.free.pop_front();
      return std::make_pair(i, identifier);
    }
  }
  return std::nullopt;
}

bool Dispatcher::Encode(Exchange& exchange) {
  outside_->FillRandom(exchange.authenticator);
  RequestParts parts{.code = exchange.request.code,
                     .identifier = exchange.identifier,
                     .authenticator = exchange.authenticator};
  if (exchange.request.user_password) {
    parts.user_password = exchange.request.user_password->octets();
  }
  auto octets = BuildRequest(parts, exchange.request.attributes,
                             servers_[exchange.server].settings.secret->octets());
  if (!octets) {
    return false;
  }
  exchange.octets = std::move(*octets);
  // That of accounting was computed.
  std::copy_n(exchange.octets.begin() + kAuthenticatorOffset, exchange.authenticator.size(),
              exchange.authenticator.begin());
  return true;
}

void Dispatcher::SetTimer(Exchange* exchange, uint64_t now_us) {
  exchange->timeout_ms = NextTimeout(times_, exchange->timeout_ms, Random32());
  exchange->due_us = std::min(exchange->deadline_us,
                              now_us + std::max<uint64_t>(1, exchange->timeout_ms) * kUsPerMs);
  timers_.insert({exchange->due_us, exchange});
}

std::unique_ptr<Dispatcher::Exchange> Dispatcher::Remove(Exchange* exchange) {
  timers_.erase({exchange->due_us, exchange});
  Server& server = servers_[exchange->server];
  Channel& channel = *server.channels[exchange->channel];
  channel.free.push_back(exchange->identifier);
  server.stats->outstanding.fetch_sub(1, std::memory_order_relaxed);
  return std::move(channel.slots[exchange->identifier]);
}

void Dispatcher::Finish(std::unique_ptr<Exchange> exchange, Outcome outcome) {
  if (exchange->done) {
    exchange->done(
        {.outcome = outcome, .packet = {}, .secret = nullptr, .server = exchange->server});
  }
}

void Dispatcher::OnTime(uint64_t now_us) {
  while (!timers_.empty() && timers_.begin()->first <= now_us) {
    Exchange* const exchange = timers_.begin()->second;
    timers_.erase(timers_.begin());
    OnTimer(exchange, now_us);
  }
  SendProbes(now_us);
}

void Dispatcher::OnTimer(Exchange* exchange, uint64_t now_us) {
  const bool is_probe = exchange->done == nullptr;
  const bool is_late = now_us >= exchange->deadline_us;
  // Others may have found out meanwhile that this server is dead.
  const bool is_better_known = !choice_.IsUp(exchange->server) && choice_.IsAnyUp(exchange->tried);
  if (is_probe || is_late || is_better_known || exchange->transmissions >= times_.tries) {
    return OnUnanswered(exchange, now_us);
  }
  Retransmit(exchange, now_us);
}

void Dispatcher::OnUnanswered(Exchange* exchange, uint64_t now_us) {
  const size_t server = exchange->server;
  const bool is_probe = exchange->done == nullptr;
  if (choice_.OnSilence(server, exchange->first_sent_us / kUsPerMs, now_us / kUsPerMs)) {
    servers_[server].stats->SetUp(false, now_us);
    outside_->OnServerState(server, false);
  }
  const bool has_other =
      std::find(exchange->tried.begin(), exchange->tried.end(), false) != exchange->tried.end();
  const bool is_late = now_us >= exchange->deadline_us;
  if (!is_probe && !is_late && !has_other) {
    return Retransmit(exchange, now_us);  // the last one there is: to the end
  }
  if (!is_probe) {
    servers_[server].stats->timeouts.fetch_add(1, std::memory_order_relaxed);
  }
  std::unique_ptr<Exchange> taken = Remove(exchange);
  if (is_probe || is_late) {
    return Finish(std::move(taken), Outcome::kTimeout);
  }
  Place(std::move(taken), now_us);
}

void Dispatcher::Retransmit(Exchange* exchange, uint64_t now_us) {
  ++exchange->transmissions;
  servers_[exchange->server].stats->retransmissions.fetch_add(1, std::memory_order_relaxed);
  SetTimer(exchange, now_us);
  outside_->Transmit(exchange->server, exchange->channel, exchange->octets);
}

void Dispatcher::OnDatagram(size_t index, size_t channel, Octets datagram, uint64_t now_us) {
  Server& server = servers_[index];
  const auto packet = Parse(datagram);
  if (!packet) {
    return server.stats->CountDrop(DropReason::kMalformed);
  }
  Exchange* const exchange = channel < server.channels.size()
                                 ? server.channels[channel]->slots[packet->identifier].get()
                                 : nullptr;
  if (exchange == nullptr) {
    return server.stats->CountDrop(DropReason::kUnexpected);
  }
  const MessageAuthenticatorPolicy policy = server.settings.message_authenticator;
  const bool is_needed = policy == MessageAuthenticatorPolicy::kRequired ||
                         (policy == MessageAuthenticatorPolicy::kAuto &&
                          server.stats->message_authenticator_seen.load(std::memory_order_relaxed));
  const auto checked = CheckReply(*packet, {.request_code = exchange->request.code,
                                            .service = service_,
                                            .request_authenticator = exchange->authenticator,
                                            .needs_message_authenticator = is_needed,
                                            .secret = server.settings.secret->octets()});
  if (!checked) {
    return server.stats->CountDrop(checked.error());
  }
  Accept(exchange, *packet, checked->has_message_authenticator, now_us);
}

void Dispatcher::Accept(Exchange* exchange, const Packet& reply, bool has_message_authenticator,
                        uint64_t now_us) {
  const size_t index = exchange->server;
  Server& server = servers_[index];
  if (exchange->done == nullptr) {
    server.stats->probe_replies.fetch_add(1, std::memory_order_relaxed);
  } else {
    server.stats->CountReply(reply.code);
    server.stats->CountLatency(now_us - exchange->first_sent_us);
  }
  if (choice_.OnReply(index, now_us / kUsPerMs)) {
    server.stats->SetUp(true, now_us);
    outside_->OnServerState(index, true);
  }
  if (exchange->request.code == Code::kAccessRequest) {
    if (has_message_authenticator) {
      server.stats->message_authenticator_seen.store(true, std::memory_order_relaxed);
    } else {
      server.stats->unprotected_replies.fetch_add(1, std::memory_order_relaxed);
      outside_->OnUnprotected(index);
    }
  }
  std::unique_ptr<Exchange> taken = Remove(exchange);
  if (taken->done) {
    taken->done({.outcome = Outcome::kAnswered,
                 .packet = {reply.octets.begin(), reply.octets.end()},
                 .request_authenticator = taken->authenticator,
                 .secret = server.settings.secret,
                 .server = index});
  }
}

// SendProbes asks dead servers whether they are back (RFC 5997 s4.1). A probe goes out once.
void Dispatcher::SendProbes(uint64_t now_us) {
  while (std::optional<size_t> server = choice_.TakeProbe(now_us / kUsPerMs)) {
    auto probe = std::make_unique<Exchange>();
    probe->request.code = Code::kStatusServer;
    probe->tried.assign(servers_.size(), true);
    probe->deadline_us = now_us + times_.deadline_ms * kUsPerMs;
    (void)PlaceAt(*server, probe, now_us);
  }
}

std::optional<uint64_t> Dispatcher::NextDeadline() const {
  std::optional<uint64_t> next;
  if (!timers_.empty()) {
    next = timers_.begin()->first;
  }
  if (const std::optional<uint64_t> probe = choice_.NextProbe()) {
    next = std::min(next.value_or(UINT64_MAX), *probe * kUsPerMs);
  }
  return next;
}

void Dispatcher::Stop() {
  while (!timers_.empty()) {
    Finish(Remove(timers_.begin()->second), Outcome::kStopped);
  }
}

uint32_t Dispatcher::Random32() {
  uint32_t value = 0;
  outside_->FillRandom({reinterpret_cast<uint8_t*>(&value), sizeof value});
  return value;
}

}  // namespace culvert::radius
