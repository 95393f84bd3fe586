// Printable makes text that a peer sent fit for logs, terminals and protobuf strings.
#pragma once

#include <string>
#include <string_view>

namespace culvert {

constexpr size_t kMaxPrintableLen = 64;

// Printable keeps valid UTF-8 and writes every control character and stray octet as \xHH. What
// would be longer than kMaxPrintableLen octets is cut and ends in "...".
std::string Printable(std::string_view text);

}  // namespace culvert
