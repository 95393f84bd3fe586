#include "controlplane/logging/printable.h"

#include <array>
#include <cstdint>

namespace culvert {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

struct Utf8Lead {
  uint8_t mask, value;
  size_t len;
  uint32_t min;  // smaller code points are overlong
};
constexpr std::array<Utf8Lead, 3> kLeads = {{
    {.mask = 0xe0, .value = 0xc0, .len = 2, .min = 0x80},
    {.mask = 0xf0, .value = 0xe0, .len = 3, .min = 0x800},
    {.mask = 0xf8, .value = 0xf0, .len = 4, .min = 0x10000},
}};

// Utf8Len gives the octets of a printable character beyond ASCII at the front of `text`, or 0.
size_t Utf8Len(std::string_view text) {
  auto first = static_cast<uint8_t>(text[0]);
  for (const Utf8Lead& lead : kLeads) {
    if ((first & lead.mask) != lead.value || text.size() < lead.len) {
      continue;
    }
    uint32_t code = first & static_cast<uint8_t>(~lead.mask);
    for (size_t i = 1; i < lead.len; ++i) {
      auto octet = static_cast<uint8_t>(text[i]);
      if ((octet & 0xc0) != 0x80) {
        return 0;
      }
      code = code << 6 | (octet & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    bool control = code < 0xa0;
    // U+202A-202E and U+2066-2069 turn the direction of the line around.
    bool direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
                     code == 0x2028 || code == 0x2029;
    return code < lead.min || code > 0x10ffff || surrogate || control || direction ? 0 : lead.len;
  }
  return 0;
}

}  // namespace

std::string Printable(std::string_view text) {
  constexpr std::string_view kCut = "...";
  std::string out;
  while (!text.empty()) {
    auto first = static_cast<uint8_t>(text[0]);
    bool ascii = first >= 0x20 && first < 0x7f;
    size_t utf8_len = ascii ? 1 : Utf8Len(text);
    std::string piece =
        utf8_len != 0 ? std::string(text.substr(0, utf8_len))
                      : std::string{'\\', 'x', kHexDigits[first >> 4], kHexDigits[first & 0xf]};
    text.remove_prefix(utf8_len == 0 ? 1 : utf8_len);
    size_t room = text.empty() ? kMaxPrintableLen : kMaxPrintableLen - kCut.size();
    if (out.size() + piece.size() > room) {
      // The rest may just fit, but then a cut of it would not: cutting a little early is fine.
      return out + std::string(kCut);
    }
    out += piece;
  }
  return out;
}

}  // namespace culvert
