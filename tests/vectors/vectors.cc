#include "tests/vectors/vectors.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace culvert::testing {
namespace {

nlohmann::json ReadVectors() {
  std::ifstream file(CULVERT_VECTORS);
  nlohmann::json vectors = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (vectors.is_discarded()) {
    std::fprintf(stderr, "%s: no such file, or not JSON\n", CULVERT_VECTORS);
    std::exit(2);
  }
  return vectors;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

const nlohmann::json& Vectors() {
  static const nlohmann::json vectors = ReadVectors();
  return vectors;
}

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> octets;
  if (hex.size() % 2 != 0) {
    return octets;
  }
  octets.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = DigitOf(hex[i]);
    const int low = DigitOf(hex[i + 1]);
    if (high < 0 || low < 0) {
      return {};
    }
    octets.push_back(static_cast<uint8_t>(high * 16 + low));
  }
  return octets;
}

std::string ToHex(std::span<const uint8_t> octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(octets.size() * 2);
  for (const uint8_t octet : octets) {
    hex.push_back(kDigits[octet >> 4]);
    hex.push_back(kDigits[octet & 15]);
  }
  return hex;
}

}  // namespace culvert::testing
