// Conversation is what the local EAP server remembers between two Responses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/wire/eap.h"

namespace culvert::eap {

// Method: the values are EAP's types.
enum class Method : uint8_t {
  kMd5 = wire::eap::kMd5Challenge,
  kMsChapV2 = wire::eap::kMsChapV2,
};

struct Conversation {
  enum class Stage : uint8_t {
    kOffered,    // the method's first Request: may be refused with a Nak
    kRetrying,   // a Failure with R=1
    kSucceeded,  // the client has yet to check that we know the password too
    kFailed,     // the client has yet to take note
    kExpired,    // so was the password: the client may change it
  };
  Stage stage = Stage::kOffered;
  Method method = Method::kMd5;
  uint32_t tried = 0;  // bit n: the n-th method of the settings was offered
  uint8_t retries = 0;
  uint8_t ms_identifier = 0;
  std::array<uint8_t, 16> challenge{};
  // Of the Response that was right, to be judged again for its keys.
  std::array<uint8_t, 16> peer_challenge{};
  std::array<uint8_t, 24> nt_response{};
  std::string name;

  // Emit and Parse: as AuthResult::state. Not sealed, since no client ever sees it.
  [[nodiscard]] std::vector<uint8_t> Emit() const;
  [[nodiscard]] static std::optional<Conversation> Parse(std::span<const uint8_t> state);
};

}  // namespace culvert::eap
