// How a session finds out whether server, connection and call still work.
#include <algorithm>
#include <cstdlib>

#include "proto/wire/ip/ip.h"
#include "tools/load/conformance/session/session.h"

namespace culvert::load::conformance {

namespace wp = wire::pptp;
namespace pp = wire::ppp;

namespace {

uint16_t Checksum(Octets octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); ++i) {
    sum += i % 2 == 0 ? uint32_t{octets[i]} << 8 : octets[i];
  }
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~((sum & 0xffff) + (sum >> 16)));
}

}  // namespace

std::vector<uint8_t> Session::EchoFrame(uint8_t identifier, size_t len) const {
  std::vector<uint8_t> data(4 + len);
  wire::StoreBe32(data.data(), ppp.magic);
  for (size_t i = 0; i < len; ++i) {
    data[4 + i] = static_cast<uint8_t>(i);
  }
  std::vector<uint8_t> frame = {0xff, 0x03};
  const std::vector<uint8_t> packet = pp::EmitControl(pp::kLcp, pp::kEchoRequest, identifier, data);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

unsigned Session::CountEchoReplies(uint8_t identifier) const {
  return static_cast<unsigned>(std::count_if(
      ppp.heard().begin() + static_cast<ptrdiff_t>(ppp_from_), ppp.heard().end(),
      [&](const PppPacket& p) {
        return p.protocol == pp::kLcp && p.code == pp::kEchoReply && p.identifier == identifier;
      }));
}

bool Session::Alive(int ms) {
  const uint8_t identifier = ppp.NextIdentifier();
  tunnel.Send(EchoFrame(identifier));
  const size_t from = ppp.heard().size();
  return Wait(
      [&] {
        return std::any_of(ppp.heard().begin() + static_cast<ptrdiff_t>(from), ppp.heard().end(),
                           [&](const PppPacket& p) {
                             return p.protocol == pp::kLcp && p.code == pp::kEchoReply &&
                                    p.identifier == identifier;
                           });
      },
      ms);
}

std::vector<uint8_t> Session::PingPacket(uint16_t sequence, size_t len) const {
  constexpr size_t kHeaders = 28;
  std::vector<uint8_t> packet(kHeaders + len);
  packet[0] = 0x45;
  wire::StoreBe16(&packet[2], static_cast<uint16_t>(packet.size()));
  wire::StoreBe16(&packet[4], sequence);
  packet[8] = 64;  // TTL
  packet[9] = 1;   // ICMP
  wire::StoreBe32(&packet[12], ppp.address());
  wire::StoreBe32(&packet[16], ppp.gateway());
  wire::StoreBe16(&packet[10], Checksum(Octets(packet).first(20)));
  packet[20] = 8;  // Echo Request
  wire::StoreBe16(&packet[24], tunnel.call_id);
  wire::StoreBe16(&packet[26], sequence);
  wire::StoreBe16(&packet[22], Checksum(Octets(packet).subspan(20)));
  return packet;
}

void Session::SendPing(uint16_t sequence, size_t len) { ppp.SendData(PingPacket(sequence, len)); }

bool Session::HeardPing(uint16_t sequence) const {
  return std::any_of(ppp.heard().begin(), ppp.heard().end(), [&](const PppPacket& p) {
    const std::vector<uint8_t>& ip = p.information;
    return p.protocol == pp::kIpv4 && ip.size() >= 28 && ip[9] == 1 && ip[20] == 0 &&
           wire::LoadBe16(&ip[24]) == tunnel.call_id && wire::LoadBe16(&ip[26]) == sequence;
  });
}

bool Session::Ping(size_t len, int ms) {
  // The first one may be lost to a route that is not there yet.
  constexpr int kTries = 3;
  const int wait_ms = (ms < 0 ? target_->wait_ms : ms) / kTries;
  for (int i = 0; i < kTries; ++i) {
    const uint16_t sequence = ++ping_sequence_ | 0x8000;
    SendPing(sequence, len);
    if (Wait([&] { return HeardPing(sequence); }, wait_ms)) {
      return true;
    }
  }
  return false;
}

bool Session::ControlAlive() {
  if (control.closed()) {
    return false;
  }
  const uint32_t identifier = static_cast<uint32_t>(NowMs());
  control.Send(wp::EchoRequest{.identifier = identifier});
  for (;;) {
    const auto reply = Await<wp::EchoReply>();
    if (!reply || reply->identifier == identifier) {
      return reply.has_value();
    }
  }
}

bool Session::ServerAlive() const {
  Session other(target_, survey_);
  return other.Start();
}

}  // namespace culvert::load::conformance
