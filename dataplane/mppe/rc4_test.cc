#include "dataplane/mppe/rc4.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/vectors/vectors.h"

namespace culvert::dataplane::mppe {
namespace {

using testing::FromHex;
using testing::ToHex;
using testing::Vectors;

// RFC 6229: 16 octets of keystream at each offset.
TEST(Rc4Test, Rfc6229) {
  const auto& keystream = Vectors()["rfc6229"]["keystream"];
  ASSERT_FALSE(keystream.empty());
  for (const auto& [key, rows] : keystream.items()) {
    std::vector<uint8_t> stream(4112);
    Rc4(FromHex(key)).Crypt(stream);
    for (const auto& [offset, octets] : rows.items()) {
      const std::span<uint8_t> at(stream.data() + std::stoul(offset), 16);
      EXPECT_EQ(ToHex(at), octets.get<std::string>()) << key << " at " << offset;
    }
  }
}

TEST(Rc4Test, ClassicVectorsInPieces) {
  for (const auto& row : Vectors()["rc4_classic"]["rows"]) {
    std::vector<uint8_t> text = FromHex(row["plain"].get<std::string>());
    Rc4 rc4(FromHex(row["key"].get<std::string>()));
    rc4.Crypt({text.data(), 2});
    rc4.Crypt({text.data() + 2, text.size() - 2});
    EXPECT_EQ(ToHex(text), row["cipher"].get<std::string>());
  }
}

}  // namespace
}  // namespace culvert::dataplane::mppe
