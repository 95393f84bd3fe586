// The state machine of a control connection (RFC 2637 s3). Input: an octet whose lowest bit says
// that calls are not accepted by themselves, and commands (command_stream.h); a chunk is octets
// from the peer.
#include "controlplane/pptp/control_connection.h"

#include <map>

#include "tests/fuzz/command_stream.h"
#include "tests/fuzz/property.h"

namespace culvert::fuzz {
namespace {

using wire::Octets;

enum Own : uint8_t {
  kTimer = CommandStream::kFirstOwn,
  kWriteAll,
  kWriteOne,
  kAccept,
  kRefuse,
  kDisconnect,
  kStop,
  kPeerClosed,
};

constexpr size_t kMaxCalls = 5;
constexpr size_t kMaxOutput = 4096;

// Call is one that we know of.
struct Call {
  bool incoming = false;
  bool accepted = false;
  bool connected = false;
  bool clearing = false;  // the peer has asked for it
};

class Harness : public pptp::ControlGate {
 public:
  explicit Harness(bool accept) : accept_(accept) {
    auto settings = std::make_shared<pptp::ControlSettings>();
    settings->host_name = "culvert";
    settings->max_calls = kMaxCalls;
    settings->max_output_len = kMaxOutput;
    connection_ =
        std::make_unique<pptp::ControlConnection>(settings, this, &counters_, 1000, now_ms_);
  }

  void Run(CommandStream commands) {
    while (!commands.AtEnd()) {
      Do(commands.Next());
      Take();
    }
    connection_->OnPeerClosed("end of the input");
    Take();
    Require(closed_, "a connection whose peer is gone is closed");
  }

 private:
  pptp::StartVerdict JudgeStart() override { return pptp::StartVerdict::kAccept; }
  // The ids come in order, and none for a while after the tenth.
  tl::expected<uint16_t, pptp::Refusal> AllocateCallId() override {
    ++num_allocated_;
    if (num_allocated_ % 16 > 10) {
      return tl::unexpected(num_allocated_ % 2 == 0 ? pptp::Refusal::kNoResource
                                                    : pptp::Refusal::kBusy);
    }
    return static_cast<uint16_t>(num_allocated_);
  }

  void Do(const CommandStream::Command& command) {
    if (command.IsChunk()) {
      connection_->OnOctets(command.chunk, now_ms_);
    } else if (command.IsWait()) {
      now_ms_ += command.wait_ms();
      connection_->OnTimer(now_ms_);
    } else {
      DoOwn(command.code);
    }
  }

  void DoOwn(uint8_t code) {
    const auto oldest = calls_.begin();
    const uint16_t call_id = oldest == calls_.end() ? 1 : oldest->first;
    switch (code) {
      case kTimer:
        now_ms_ = std::max(now_ms_, connection_->deadline_ms().value_or(now_ms_));
        connection_->OnTimer(now_ms_);
        Require(connection_->deadline_ms().value_or(now_ms_ + 1) > now_ms_,
                "a timer that ran does not run again at once");
        return;
      case kWriteAll:
        while (!connection_->PendingOutput().empty()) {
          Write(connection_->PendingOutput().size());
        }
        return;
      case kWriteOne:
        return Write(std::min<size_t>(connection_->PendingOutput().size(), 1));
      case kAccept:
        return Accept(call_id);
      case kRefuse:
        if (oldest != calls_.end() && !oldest->second.accepted) {
          calls_.erase(oldest);
          connection_->RefuseCall(call_id, pptp::Refusal::kNoResource, now_ms_);
        }
        return;
      case kDisconnect:
        calls_.erase(call_id);
        return connection_->DisconnectCall(call_id, pptp::DisconnectResult::kRequest, "", now_ms_);
      case kStop:
        return connection_->Stop(pptp::StopReason::kLocalShutdown, now_ms_);
      case kPeerClosed:
        return connection_->OnPeerClosed("closed by the peer");
      default:
        return;
    }
  }

  void Accept(uint16_t call_id) {
    const auto call = calls_.find(call_id);
    if (call != calls_.end() && !call->second.accepted) {
      call->second.accepted = connection_->AcceptCall(call_id, now_ms_);
    }
  }

  // Write is the socket's: what goes out must be whole, valid messages.
  void Write(size_t len) {
    if (len == 0) {
      return;
    }
    Octets out = connection_->PendingOutput().first(len);
    while (true) {
      const auto message = sent_.Next(out);
      if (!message.has_value()) {
        Require(message.error() == wire::pptp::Error::kIncomplete, "we send valid messages only");
        break;
      }
    }
    connection_->OnWritten(len);
  }

  void Take() {
    for (const pptp::Effect& effect : connection_->TakeEffects()) {
      Require(!closed_, "Closed is the last effect");
      std::visit([this](const auto& e) { On(e); }, effect);
    }
    Require(connection_->num_calls() <= kMaxCalls, "no more calls than allowed");
    Require(!closed_ || connection_->num_calls() == 0, "a closed connection has no calls");
  }

  void On(const pptp::CallRequested& e) {
    Require(e.call_id != 0 && calls_.emplace(e.call_id, Call()).second, "a new call has a new id");
    calls_[e.call_id].incoming = e.incoming;
    if (accept_) {
      Accept(e.call_id);
    }
  }
  void On(const pptp::CallConnected& e) {
    const auto call = calls_.find(e.call_id);
    Require(call != calls_.end() && call->second.incoming && call->second.accepted,
            "an incoming call that was taken is connected");
    Require(!std::exchange(call->second.connected, true), "and only once");
  }
  void On(const pptp::CallClearRequested& e) {
    const auto call = calls_.find(e.call_id);
    Require(call != calls_.end() && !call->second.clearing && !call->second.incoming,
            "an outgoing call that is there is cleared once");
    call->second.clearing = true;
  }
  void On(const pptp::CallLost& e) {
    Require(calls_.erase(e.call_id) == 1, "a call is lost once, and only if it was there");
  }
  void On(const pptp::Closed& e) {
    Require(calls_.empty(), "every call is lost before the connection is closed");
    Require(!e.reason.empty(), "there is a reason");
    closed_ = true;
  }

  const bool accept_;
  uint64_t now_ms_ = 1000;
  uint32_t num_allocated_ = 0;
  pptp::ControlCounters counters_;
  std::unique_ptr<pptp::ControlConnection> connection_;
  wire::pptp::StreamParser sent_;
  std::map<uint16_t, Call> calls_;
  bool closed_ = false;
};

}  // namespace
}  // namespace culvert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    culvert::fuzz::Harness harness((data[0] & 1) == 0);
    harness.Run(culvert::fuzz::CommandStream({data + 1, size - 1}));
  }
  return 0;
}
