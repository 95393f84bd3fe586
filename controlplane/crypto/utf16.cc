#include "controlplane/crypto/utf16.h"

#include <algorithm>
#include <vector>

namespace culvert::crypto {
namespace {

constexpr size_t kMaxPasswordUnits = 256;
constexpr size_t kMaxUtf8PerUnit = 3;

// TakeCodePoint removes one UTF-8 code point from `in`; -1 when it is not well-formed
// (RFC 3629 s4: no overlong form, no surrogate, nothing beyond U+10FFFF).
int32_t TakeCodePoint(std::span<const uint8_t>* in) {
  const uint8_t lead = in->front();
  const size_t len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || in->size() < len) {
    return -1;
  }
  int32_t point = len == 1 ? lead : lead & (0x7f >> len);
  for (uint8_t octet : in->subspan(1, len - 1)) {
    if ((octet & 0xc0) != 0x80) {
      return -1;
    }
    point = point << 6 | (octet & 0x3f);
  }
  const bool overlong = (len == 3 && point < 0x800) || (len == 4 && point < 0x10000);
  if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    return -1;
  }
  *in = in->subspan(len);
  return point;
}

void PutUnit(uint16_t unit, std::vector<uint8_t>* out) {
  out->push_back(static_cast<uint8_t>(unit));
  out->push_back(static_cast<uint8_t>(unit >> 8));
}

// PutUtf8 appends a code point that is no surrogate.
void PutUtf8(uint32_t point, std::vector<uint8_t>* out) {
  const auto tail = [&](unsigned shift) {
    out->push_back(static_cast<uint8_t>(0x80 | (point >> shift & 0x3f)));
  };
  if (point < 0x80) {
    out->push_back(static_cast<uint8_t>(point));
  } else if (point < 0x800) {
    out->push_back(static_cast<uint8_t>(0xc0 | point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out->push_back(static_cast<uint8_t>(0xe0 | point >> 12));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<uint8_t>(0xf0 | point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool IsHigh(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool IsLow(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// Sealed moves octets into a Secret and wipes them.
Secret Sealed(std::vector<uint8_t>* octets) {
  Secret secret(*octets);
  OPENSSL_cleanse(octets->data(), octets->size());
  return secret;
}

}  // namespace

tl::expected<Secret, PasswordError> ToUtf16Le(std::span<const uint8_t> utf8) {
  std::vector<uint8_t> utf16;
  utf16.reserve(2 * kMaxPasswordUnits + 4);  // never moves: what moves leaves a copy behind
  std::optional<PasswordError> error;
  while (!utf8.empty() && !error) {
    const int32_t point = TakeCodePoint(&utf8);
    if (point < 0) {
      error = PasswordError::kInvalidUtf8;
    } else if (point < 0x10000) {
      PutUnit(static_cast<uint16_t>(point), &utf16);
    } else {
      PutUnit(static_cast<uint16_t>(0xd800 + ((point - 0x10000) >> 10)), &utf16);
      PutUnit(static_cast<uint16_t>(0xdc00 + ((point - 0x10000) & 0x3ff)), &utf16);
    }
    if (utf16.size() > 2 * kMaxPasswordUnits) {
      error = PasswordError::kTooLong;
    }
  }
  Secret sealed = Sealed(&utf16);
  if (error) {
    return tl::unexpected(*error);
  }
  return sealed;
}

std::optional<Secret> FromUtf16Le(std::span<const uint8_t> utf16) {
  std::vector<uint8_t> utf8;
  utf8.reserve(utf16.size() / 2 * kMaxUtf8PerUnit);  // never moves
  bool good = utf16.size() % 2 == 0;
  for (size_t i = 0; good && i < utf16.size(); i += 2) {
    const auto unit = [&](size_t at) {
      return static_cast<uint32_t>(utf16[at] | utf16[at + 1] << 8);
    };
    uint32_t point = unit(i);
    if (IsHigh(point) && i + 2 < utf16.size() && IsLow(unit(i + 2))) {
      point = 0x10000 + ((point - 0xd800) << 10) + (unit(i + 2) - 0xdc00);
      i += 2;
    }
    good = !IsHigh(point) && !IsLow(point);
    if (good) {
      PutUtf8(point, &utf8);
    }
  }
  Secret sealed = Sealed(&utf8);
  return good ? std::optional<Secret>(std::move(sealed)) : std::nullopt;
}

}  // namespace culvert::crypto
