// Sender is what others see of the RADIUS client: a request goes in, one answer comes back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "controlplane/crypto/secret.h"
#include "controlplane/radius/attribute_list.h"
#include "controlplane/radius/client/server.h"
#include "controlplane/radius/packet.h"

namespace culvert::radius {

struct Request {
  Code code = Code::kAccessRequest;                    // or kAccountingRequest
  AttributeList attributes{};                          // no Message-Authenticator, User-Password
  std::optional<Secret> user_password = std::nullopt;  // PAP
  // The server that sent the State of a Challenge: no other one could go on with it.
  std::optional<size_t> server = std::nullopt;
};

enum class Outcome : uint8_t {
  kAnswered,    // of accounting: it is with a server
  kTimeout,     // no server answered in time
  kOverload,    // all identifiers of all servers are in use
  kNotEncoded,  // the request does not fit into a packet: it never will
  kNoServer,    // none is configured for the service
  kStopped,     // the client ended
};
// OutcomeText is a few words for logs.
[[nodiscard]] std::string_view OutcomeText(Outcome outcome);

struct Answer {
  Outcome outcome = Outcome::kStopped;
  std::vector<uint8_t> packet;  // checked; only of kAnswered
  // What reveals the keys in it.
  AuthenticatorOctets request_authenticator{};
  std::shared_ptr<const Secret> secret;
  size_t server = 0;  // which one it was
};
using Answered = std::function<void(Answer)>;

class Sender {
 public:
  virtual ~Sender() = default;
  // Send: any thread. `done` is called once, by the client's thread, and must not block it; all
  // servers, repeats and waiting take at most the configured deadline.
  virtual void Send(Service service, Request request, Answered done) = 0;
};

}  // namespace culvert::radius
