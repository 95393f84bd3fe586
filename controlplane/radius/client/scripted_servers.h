// ScriptedServers stands in for the network and the servers of a Dispatcher; only for tests. It
// keeps what was sent and answers when told to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/radius/client/dispatcher.h"
#include "controlplane/radius/signing.h"

namespace culvert::radius {

inline std::shared_ptr<const Secret> SecretOf(const std::string& text) {
  return std::make_shared<const Secret>(
      Octets(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

class ScriptedServers final : public Dispatcher::Outside {
 public:
  struct Sent {
    size_t server, channel;
    std::vector<uint8_t> packet;
    uint64_t at_us;
  };

  void Transmit(size_t server, size_t channel, Octets packet) override {
    sent.push_back({server, channel, {packet.begin(), packet.end()}, now_us});
  }
  void FillRandom(std::span<uint8_t> out) override {
    for (uint8_t& octet : out) {
      octet = static_cast<uint8_t>((state_ = state_ * 6364136223846793005u + 1) >> 56);
    }
  }
  void OnServerState(size_t server, bool up) override {
    states.push_back((up ? "up " : "down ") + std::to_string(server));
  }
  void OnUnprotected(size_t) override { ++unprotected; }

  // ReplyTo is what a server with this secret answers.
  static std::vector<uint8_t> ReplyTo(const Sent& request, Code code, const std::string& secret,
                                      bool message_authenticator = true,
                                      const AttributeList& attributes = {}) {
    const auto packet = Parse(request.packet);
    return *BuildReply(code, *packet, attributes, message_authenticator,
                       SecretOf(secret)->octets());
  }

  uint64_t now_us = 1'000'000;
  std::vector<Sent> sent;
  std::vector<std::string> states;
  int unprotected = 0;

 private:
  uint64_t state_ = 1;
};

}  // namespace culvert::radius
