// LocalEap is the EAP server for local users: EAP-MD5 (RFC 3748 s5.4) and EAP-MSCHAPv2
// (draft-kamath-pppext-eap-mschapv2). All it has to remember of a conversation is in the `state`
// that the call holds and gives back, so conversations cost it nothing and cannot fill it up.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/aaa/authentication.h"
#include "controlplane/aaa/eap/conversation.h"
#include "controlplane/aaa/users/users.h"
#include "proto/wire/eap.h"

namespace culvert::eap {

struct Settings {
  std::vector<Method> methods;  // in order of preference; empty: no EAP
  std::string server_name;
  uint32_t retries = 0;  // after a wrong password
  // Whether strangers are led through a method to a failure like that of a wrong password; false
  // when another backend may know them.
  bool answers_strangers = true;
};

// Any thread.
class LocalEap {
 public:
  using Random = std::function<void(std::span<uint8_t>)>;

  LocalEap(Settings settings, Random random);

  // Answer judges one Response of `user`. `request` holds an EapExchange and the state of the
  // answer before; an accepted or rejected one has `eap` and `keys` set, but no name and grants.
  [[nodiscard]] AuthResult Answer(const AuthRequest& request, const User& user) const;
  // ChangeOf: a Response that is a Change-Password after our E=648, as the question that it would
  // be in MS-CHAPv2; nullopt: it is something else. AnswerChange gives the Request that tells the
  // client what came of that question.
  [[nodiscard]] static std::optional<AuthRequest> ChangeOf(const AuthRequest& request);
  [[nodiscard]] AuthResult AnswerChange(const AuthRequest& request, AuthResult judged) const;

 private:
  using Packet = wire::eap::Packet;
  using Message = wire::eap::mschapv2::Message;

  [[nodiscard]] AuthResult Offer(const User& user, const Packet& packet,
                                 Conversation conversation) const;
  [[nodiscard]] AuthResult OnMd5(const User& user, const Packet& packet,
                                 const Conversation& conversation) const;
  [[nodiscard]] AuthResult OnMsChapV2(const User& user, const Packet& packet,
                                      Conversation conversation) const;
  [[nodiscard]] AuthResult OnResponse(const User& user, const Packet& packet,
                                      const Message& message, Conversation conversation) const;
  // Fail: `code` as RFC 2759 s6 has it.
  [[nodiscard]] AuthResult Fail(const Packet& packet, Conversation conversation,
                                uint32_t code) const;

  const Settings settings_;
  const Random random_;
};

}  // namespace culvert::eap
