#include "controlplane/aaa/authentication.h"

#include <type_traits>

namespace culvert {

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
