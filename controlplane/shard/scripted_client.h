// ScriptedClient dials over a real TCP socket; its GRE is the fake data plane. Only for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/dataplane_client/fake_dataplane.h"
#include "proto/wire/pptp.h"

namespace culvert::testing {

class ScriptedClient {
 public:
  enum When { kConnectNow, kConnectLater };
  // Connects to 127.0.0.1, or opens only the socket: then Connect() does it.
  explicit ScriptedClient(uint16_t port, When when = kConnectNow);
  ~ScriptedClient();
  ScriptedClient(const ScriptedClient&) = delete;
  ScriptedClient& operator=(const ScriptedClient&) = delete;

  void Connect();
  void Send(const wire::pptp::Message& message);
  void SendOctets(const std::vector<uint8_t>& octets);
  // TrySendOctets does not wait for room: it sends what is left of the last ones, or these. False:
  // the connection is gone.
  bool TrySendOctets(const std::vector<uint8_t>& octets);
  // Receive gives the next message; nullopt: closed, or none in 5 s.
  std::optional<wire::pptp::Message> Receive();
  template <typename T>
  std::optional<T> Expect() {
    std::optional<wire::pptp::Message> message = Receive();
    if (!message || !std::holds_alternative<T>(*message)) {
      return std::nullopt;
    }
    return std::get<T>(*message);
  }
  // Closed: the server closes within 5 s; messages before that are read and dropped.
  bool Closed();
  void Close();

  void Start();
  // Dial gives our Call ID there (S), or 0.
  uint16_t Dial(uint16_t peer_call_id);

 private:
  const uint16_t port_;
  int fd_;
  wire::pptp::StreamParser parser_;
  std::vector<uint8_t> unread_, unsent_;
};

// PppPeer answers the server's frames as a client that takes everything and logs in with PAP,
// until `until` is true; false: 5 s passed without a frame. `client_address`: what it was given.
struct PppPeer {
  FakeDataplane* dataplane;
  uint64_t handle;
  std::string user, password;
  uint32_t client_address = 0;
  bool pap_refused = false;
  bool terminated = false;  // the server sent LCP Terminate-Request

  bool Run(const std::function<bool()>& until);

 private:
  void OnFrame(const std::string& frame);
  void Send(uint16_t protocol, uint8_t code, uint8_t identifier, const std::string& data);
};

}  // namespace culvert::testing
