#include "controlplane/aaa/authentication.h"

#include <type_traits>

namespace culvert {

uint8_t AuthRequest::eap_type() const {
  constexpr size_t kTypeOffset = 4;
  constexpr uint8_t kResponse = 2, kFirstMethod = 4;  // 1 to 3: Identity, Notification, Nak
  const auto* eap = std::get_if<EapExchange>(&exchange);
  if (eap == nullptr || eap->packet.size() <= kTypeOffset || eap->packet[0] != kResponse) {
    return 0;
  }
  const uint8_t type = eap->packet[kTypeOffset];
  return type < kFirstMethod ? 0 : type;
}

AuthRequest AuthRequest::Clone() const {
  return {.call = call,
          .user = user,
          .exchange = std::visit(
              [](const auto& typed) -> AuthExchange {
                if constexpr (std::is_same_v<decltype(typed), const PapExchange&>) {
                  return PapExchange{.password = typed.password.Clone()};
                } else {
                  return typed;
                }
              },
              exchange),
          .state = state};
}

}  // namespace culvert
