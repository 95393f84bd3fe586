#include "controlplane/shard/connection.h"

#include <spdlog/spdlog.h>

#include <array>
#include <asio/buffer.hpp>

#include "controlplane/drain/drain.h"
#include "controlplane/shard/random.h"
#include "controlplane/shard/shard.h"
#include "proto/config/address/address.h"

namespace culvert {

namespace {
constexpr size_t kReadLen = 4096;  // at a time, so that one client cannot keep the loop
}

Connection::Connection(Shard* shard, asio::ip::tcp::socket socket, uint32_t peer_address,
                       uint32_t local_address, size_t listener)
    : shard_(shard),
      socket_(std::move(socket)),
      peer_address_(peer_address),
      local_address_(local_address),
      listener_(listener),
      control_(shard->settings()->control, this, &shard->control_counters(), 900 + RandomBelow(201),
               SteadyMs()),
      alarm_(shard->loop(), [this] {
        control_.OnTimer(SteadyMs());
        Pump();
      }) {}

void Connection::Start() {
  spdlog::debug("control connection from {} to {}", config::FormatIpv4(peer_address_),
                config::FormatIpv4(local_address_));
  WaitToRead();
  Pump();
}

void Connection::WaitToRead() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const asio::error_code& error) {
                       if (!error && !self->closed_) {
                         self->OnReadable();
                       }
                     });
}

void Connection::OnReadable() {
  std::array<uint8_t, kReadLen> buffer;
  asio::error_code error;
  size_t len = socket_.read_some(asio::buffer(buffer), error);
  if (error == asio::error::would_block || error == asio::error::try_again ||
      error == asio::error::interrupted) {
    return WaitToRead();
  }
  if (error) {
    control_.OnPeerClosed(error == asio::error::eof ? "client closed the control connection"
                                                    : "control connection lost");
    return Pump();
  }
  control_.OnOctets({buffer.data(), len}, SteadyMs());
  Pump();
  if (!closed_) {
    WaitToRead();
  }
}

void Connection::Write() {
  while (!writing_ && !closed_) {
    wire::Octets octets = control_.PendingOutput();
    if (octets.empty()) {
      return;
    }
    asio::error_code error;
    // MSG_EOR keeps the kernel from putting two messages into one segment: NAT helpers look only
    // at the first message of a segment.
    size_t len = socket_.send(asio::buffer(octets.data(), octets.size()),
                              asio::ip::tcp::socket::message_end_of_record, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      return WaitToWrite();
    }
    if (error) {
      return control_.OnPeerClosed("control connection lost");
    }
    control_.OnWritten(len);
  }
}

void Connection::WaitToWrite() {
  writing_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](const asio::error_code& error) {
                       self->writing_ = false;
                       if (!self->closed_) {
                         self->Pump();
                       }
                     });
}

void Connection::Pump() {
  if (pumping_ || closed_) {
    return;
  }
  std::shared_ptr<Connection> self = shared_from_this();
  pumping_ = true;
  for (;;) {
    Write();
    std::vector<pptp::Effect> effects = control_.TakeEffects();
    if (effects.empty()) {
      break;
    }
    for (const pptp::Effect& effect : effects) {
      std::visit([this](const auto& typed) { Apply(typed); }, effect);
    }
  }
  pumping_ = false;
  if (!closed_) {
    alarm_.Set(control_.deadline_ms());
  }
}

void Connection::Apply(const pptp::CallRequested& effect) {
  auto call = std::make_shared<Call>(shard_, this,
                                     CallIdentity{.peer_address = peer_address_,
                                                  .local_address = local_address_,
                                                  .call_id = effect.call_id,
                                                  .peer_call_id = effect.peer_call_id,
                                                  .peer_window = effect.peer_receive_window,
                                                  .incoming = effect.incoming,
                                                  .listener = listener_,
                                                  .names = NamesOf(effect)});
  calls_.emplace(effect.call_id, call);
  call->Begin();
}

std::shared_ptr<const PeerNames> Connection::NamesOf(const pptp::CallRequested& effect) {
  const std::string& host_name = control_.peer_host_name();
  if (!effect.called_number.empty() || !effect.calling_number.empty()) {
    return MakePeerNames(host_name, effect.called_number, effect.calling_number);
  }
  if (host_ == nullptr) {
    host_ = MakePeerNames(host_name, "", "");
  }
  return host_;
}

void Connection::Apply(const pptp::CallConnected& effect) {
  if (auto it = calls_.find(effect.call_id); it != calls_.end()) {
    std::shared_ptr<Call> call = it->second;
    call->OnConnected(effect.peer_receive_window);
  }
}

void Connection::Apply(const pptp::CallClearRequested& effect) {
  if (auto it = calls_.find(effect.call_id); it != calls_.end()) {
    std::shared_ptr<Call> call = it->second;
    call->OnClearRequest();
  }
}

void Connection::Apply(const pptp::CallLost& effect) {
  if (auto node = calls_.extract(effect.call_id)) {
    // The only CallLost on a living connection is the client's own.
    EndCause cause =
        control_.established() ? EndCause::kClientHangUp : EndCause::kControlConnection;
    node.mapped()->OnOwnerLost(cause, effect.reason);
  }
}

void Connection::Apply(const pptp::Closed& effect) {
  closed_ = true;
  spdlog::debug("control connection from {} closed: {}", config::FormatIpv4(peer_address_),
                effect.reason);
  alarm_.Set(std::nullopt);
  asio::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  shard_->source_gate().OnClosed(peer_address_, half_open_);
  shard_->OnConnectionClosed(this, effect.reason);
}

pptp::StartVerdict Connection::JudgeStart() {
  half_open_ = false;
  return shard_->source_gate().JudgeStart(peer_address_, shard_->settings()->allowed_sources);
}

tl::expected<uint16_t, pptp::Refusal> Connection::AllocateCallId() {
  if (Drain* drain = shard_->services().drain; drain != nullptr && drain->active()) {
    drain->OnRefused();
    shard_->services().metrics->OnCallRefused("draining");
    return tl::unexpected(pptp::Refusal::kNotAccepted);
  }
  if (!shard_->source_gate().AdmitCall(peer_address_)) {
    return tl::unexpected(pptp::Refusal::kBusy);
  }
  const uint16_t call_id = shard_->AllocateCallId(local_address_);
  if (call_id == 0) {
    return tl::unexpected(pptp::Refusal::kNoResource);
  }
  return call_id;
}

bool Connection::Accept(uint16_t call_id) {
  bool accepted = control_.AcceptCall(call_id, SteadyMs());
  Pump();
  return accepted;
}

void Connection::Refuse(uint16_t call_id, pptp::Refusal refusal) {
  calls_.erase(call_id);
  control_.RefuseCall(call_id, refusal, SteadyMs());
  Pump();
}

void Connection::Disconnect(uint16_t call_id, pptp::DisconnectResult result,
                            std::string_view statistics) {
  calls_.erase(call_id);
  control_.DisconnectCall(call_id, result, statistics, SteadyMs());
  Pump();
}

void Connection::Shutdown() {
  std::shared_ptr<Connection> self = shared_from_this();
  while (!calls_.empty()) {
    std::shared_ptr<Call> call = calls_.begin()->second;
    calls_.erase(calls_.begin());
    call->Shutdown();
  }
  control_.Stop(pptp::StopReason::kLocalShutdown, SteadyMs());
  Pump();
}

void Connection::Abort() {
  control_.OnPeerClosed("shut down");
  Pump();
}

}  // namespace culvert
