#include "controlplane/shard/call/call_identity.h"

#include <algorithm>

namespace culvert {

namespace {

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// IsNumber: nobody may write an address where servers look for addresses, so there is no period
// and no colon.
bool IsNumber(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  return text.find_first_of(kDigits) != std::string_view::npos &&
         text.find_first_not_of("0123456789+-*#() ") == std::string_view::npos;
}

std::string_view If(bool good, std::string_view text) { return good ? text : std::string_view(); }

}  // namespace

std::shared_ptr<const PeerNames> MakePeerNames(std::string_view host_name,
                                               std::string_view called_number,
                                               std::string_view calling_number) {
  PeerNames names{.host_name = std::string(If(IsPrintable(host_name), host_name)),
                  .called_number = std::string(If(IsNumber(called_number), called_number)),
                  .calling_number = std::string(If(IsNumber(calling_number), calling_number))};
  if (names.host_name.empty() && names.called_number.empty() && names.calling_number.empty()) {
    return nullptr;
  }
  return std::make_shared<const PeerNames>(std::move(names));
}

}  // namespace culvert
