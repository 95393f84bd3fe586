// The test vectors of vectors.json; only for tests.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace culvert::testing {

// Vectors is the whole of vectors.json, read at the first call. Exits when it cannot be read.
const nlohmann::json& Vectors();

// FromHex decodes pairs of hex digits; empty when `hex` is anything else.
std::vector<uint8_t> FromHex(std::string_view hex);

// ToHex gives lower-case digits without separators, as vectors.json has them.
std::string ToHex(std::span<const uint8_t> octets);

}  // namespace culvert::testing
