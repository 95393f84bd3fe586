#include "controlplane/shard/scripted_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace culvert::testing {

namespace wp = wire::pptp;

namespace {

constexpr int kTimeoutMs = 5000;
constexpr uint16_t kLcp = 0xc021;
constexpr uint16_t kPap = 0xc023;
constexpr uint16_t kIpcp = 0x8021;
constexpr uint8_t kConfigureRequest = 1, kConfigureAck = 2, kConfigureNak = 3;
constexpr uint8_t kTerminateRequest = 5, kTerminateAck = 6;

}  // namespace

ScriptedClient::ScriptedClient(uint16_t port, When when)
    : port_(port), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  if (when == kConnectNow) {
    Connect();
  }
}

void ScriptedClient::Connect() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

ScriptedClient::~ScriptedClient() { Close(); }

void ScriptedClient::Close() {
  if (fd_ >= 0) {
    close(fd_);
    fd_ = -1;
  }
}

void ScriptedClient::SendOctets(const std::vector<uint8_t>& octets) {
  EXPECT_EQ(send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(octets.size()));
}

bool ScriptedClient::TrySendOctets(const std::vector<uint8_t>& octets) {
  if (unsent_.empty()) {
    unsent_ = octets;
  }
  const ssize_t sent = send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) {
    unsent_.erase(unsent_.begin(), unsent_.begin() + sent);
  }
  return sent >= 0 || errno == EAGAIN;
}

void ScriptedClient::Send(const wp::Message& message) { SendOctets(wp::Emit(message)); }

std::optional<wp::Message> ScriptedClient::Receive() {
  for (;;) {
    wire::Octets in(unread_);
    auto message = parser_.Next(in);
    unread_.assign(in.begin(), in.end());
    if (message) {
      return *message;
    }
    EXPECT_EQ(message.error(), wp::Error::kIncomplete);
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kTimeoutMs) != 1) {
      return std::nullopt;
    }
    uint8_t buffer[1024];
    ssize_t len = recv(fd_, buffer, sizeof buffer, 0);
    if (len <= 0) {
      return std::nullopt;
    }
    unread_.insert(unread_.end(), buffer, buffer + len);
  }
}

bool ScriptedClient::Closed() {
  for (;;) {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kTimeoutMs) != 1) {
      return false;
    }
    uint8_t buffer[1024];
    if (recv(fd_, buffer, sizeof buffer, 0) <= 0) {
      return true;
    }
  }
}

void ScriptedClient::Start() {
  Send(wp::StartRequest{});
  std::optional<wp::StartReply> reply = Expect<wp::StartReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->result, 1);
}

uint16_t ScriptedClient::Dial(uint16_t peer_call_id) {
  Send(wp::OutgoingCallRequest{.call_id = peer_call_id, .receive_window = 64});
  std::optional<wp::OutgoingCallReply> reply = Expect<wp::OutgoingCallReply>();
  return reply && reply->result == 1 && reply->peer_call_id == peer_call_id ? reply->call_id : 0;
}

void PppPeer::Send(uint16_t protocol, uint8_t code, uint8_t identifier, const std::string& data) {
  std::vector<uint8_t> frame(6 + data.size());
  wire::Writer writer(frame);
  writer.U16(protocol);
  writer.U8(code);
  writer.U8(identifier);
  writer.U16(static_cast<uint16_t>(4 + data.size()));
  writer.Bytes({reinterpret_cast<const uint8_t*>(data.data()), data.size()});
  dataplane->Deliver(handle, frame);
}

bool PppPeer::Run(const std::function<bool()>& until) {
  for (;;) {
    if (until()) {
      return true;
    }
    if (std::optional<dataplane::v1::Frame> frame = dataplane->TakeFrame(1000)) {
      if (frame->handle() == handle) {
        OnFrame(frame->data());
      }
    } else {
      return until();
    }
  }
}

void PppPeer::OnFrame(const std::string& frame) {
  wire::Reader reader({reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
  uint16_t protocol = reader.U16();
  uint8_t code = reader.U8();
  uint8_t identifier = reader.U8();
  reader.U16();
  std::string data = frame.substr(6);
  if (protocol == kLcp && code == kTerminateRequest) {
    terminated = true;
    return Send(protocol, kTerminateAck, identifier, "");
  }
  if (protocol == kPap) {
    pap_refused = code == 3;
    if (code == 2) {
      Send(kIpcp, kConfigureRequest, 1, std::string("\x03\x06\0\0\0\0", 6));
    }
    return;
  }
  if (code == kConfigureRequest) {
    Send(protocol, kConfigureAck, identifier, data);
    if (protocol == kLcp) {
      Send(kLcp, kConfigureRequest, 1, "");
    }
  } else if (code == kConfigureAck && protocol == kLcp) {
    std::string request;
    for (const std::string* text : {&user, &password}) {
      request += static_cast<char>(text->size()) + *text;
    }
    Send(kPap, 1, 1, request);
  } else if (code == kConfigureNak && protocol == kIpcp) {
    for (size_t i = 2; i < 6; ++i) {
      client_address = client_address << 8 | static_cast<uint8_t>(data[i]);
    }
    Send(kIpcp, kConfigureRequest, 2, data);
  }
}

}  // namespace culvert::testing
