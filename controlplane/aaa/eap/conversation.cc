#include "controlplane/aaa/eap/conversation.h"

#include <algorithm>

namespace culvert::eap {
namespace {

constexpr size_t kFixedLen = 8 + 16 + 16 + 24;

}  // namespace

std::vector<uint8_t> Conversation::Emit() const {
  std::vector<uint8_t> state(kFixedLen + name.size());
  wire::Writer out(state);
  out.U8(static_cast<uint8_t>(stage));
  out.U8(static_cast<uint8_t>(method));
  out.U32(tried);
  out.U8(retries);
  out.U8(ms_identifier);
  out.Bytes(challenge);
  out.Bytes(peer_challenge);
  out.Bytes(nt_response);
  out.Bytes({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  return state;
}

std::optional<Conversation> Conversation::Parse(std::span<const uint8_t> state) {
  wire::Reader in(state);
  Conversation conversation;
  conversation.stage = static_cast<Stage>(in.U8());
  conversation.method = static_cast<Method>(in.U8());
  conversation.tried = in.U32();
  conversation.retries = in.U8();
  conversation.ms_identifier = in.U8();
  in.CopyTo(conversation.challenge);
  in.CopyTo(conversation.peer_challenge);
  in.CopyTo(conversation.nt_response);
  if (!in.ok()) {
    return std::nullopt;
  }
  conversation.name.assign(in.rest().begin(), in.rest().end());
  return conversation;
}

}  // namespace culvert::eap
