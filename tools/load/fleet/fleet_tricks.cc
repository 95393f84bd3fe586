// What a fleet does to a server that no client should.
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "proto/wire/ppp.h"
#include "proto/wire/pptp.h"
#include "tools/load/fleet/connection.h"

namespace culvert::load {

namespace wp = wire::ppp;

bool Fleet::Play(Trick trick, uint32_t call_index, uint64_t random) {
  Call& call = calls_[call_index % calls_.size()];
  Connection* connection = ConnectionOf(call);
  if (call.stage == Stage::kIdle || call.stage >= Stage::kEnding || connection == nullptr ||
      connection->fd < 0 || connection->connecting) {
    return false;
  }
  const std::vector<uint8_t> echo = wire::pptp::Emit(wire::pptp::EchoRequest{.identifier = 1});
  switch (trick) {
    case Trick::kHangUp:
      EndCall(call);
      return true;
    case Trick::kTerminate:
      if (call.ppp == nullptr) {
        return false;
      }
      call.ppp->HangUp(now_ms());
      Progress(call);
      return true;
    case Trick::kReset:
      Break(*connection, /*with_reset=*/true);
      return true;
    case Trick::kClose:
      Break(*connection, /*with_reset=*/false);
      return true;
    case Trick::kHalfMessage:
      Write(*connection, wire::Octets(echo).first(1 + random % (echo.size() - 1)));
      Break(*connection, (random & 0x100) != 0);
      return true;
    case Trick::kGarbage: {
      std::array<uint8_t, 64> garbage;
      for (size_t i = 0; i < garbage.size(); ++i) {
        garbage[i] = static_cast<uint8_t>(random >> (i % 8 * 8)) ^ static_cast<uint8_t>(i);
      }
      Write(*connection, wire::Octets(garbage).first(1 + random % garbage.size()));
      return true;
    }
    case Trick::kStrangeFrame:
      if (call.ppp == nullptr) {
        return false;
      }
      SendStrangeFrame(call, random);
      return true;
    case Trick::kSilence:
      call.is_silent = true;
      return true;
  }
  return false;
}

void Fleet::Break(Connection& connection, bool with_reset) {
  if (with_reset) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  connection.control.OnPeerClosed("broken off by us");
  TakeEffects(connection);
}

void Fleet::Write(Connection& connection, wire::Octets octets) {
  // What does not fit into the socket's buffer is left out: garbage all the same.
  [[maybe_unused]] const ssize_t len =
      send(connection.fd, octets.data(), octets.size(), MSG_NOSIGNAL);
}

// SendStrangeFrame: packets of the control protocols with lengths and codes as they come.
void Fleet::SendStrangeFrame(Call& call, uint64_t random) {
  constexpr uint16_t kProtocols[] = {wp::kLcp,  wp::kIpcp, wp::kCcp, wp::kChap, wp::kPap,
                                     wp::kMppe, wp::kIpv4, 0xc031,   0x00cf};
  const uint16_t protocol = kProtocols[random % std::size(kProtocols)];
  std::array<uint8_t, 40> frame;
  wire::StoreBe16(frame.data(), protocol);
  for (size_t i = 2; i < frame.size(); ++i) {
    frame[i] = static_cast<uint8_t>((random >> (i % 7 * 8)) + i * (random & 0xff));
  }
  frame[2] = static_cast<uint8_t>(random >> 16 & 0x1f);  // a code that may be known
  if ((random & 0x1000) != 0) {
    wire::StoreBe16(&frame[4], static_cast<uint16_t>(random >> 24 & 0x3f));
  }
  tunnels_->SendControl(call.index, wire::Octets(frame).first(2 + random % (frame.size() - 2)));
}

}  // namespace culvert::load
