#include "controlplane/logging/printable.h"

#include <gtest/gtest.h>

#include "controlplane/logging/log_limit.h"

namespace culvert {
namespace {

TEST(Printable, KeepsPlainTextAndUtf8) {
  EXPECT_EQ(Printable("alice"), "alice");
  EXPECT_EQ(Printable("DOMAIN\\alice"), "DOMAIN\\alice");
  EXPECT_EQ(Printable("\xd0\xb0\xd0\xbb"), "\xd0\xb0\xd0\xbb");
  EXPECT_EQ(Printable(""), "");
}

TEST(Printable, EscapesControlsAndStrayOctets) {
  EXPECT_EQ(Printable("a\nb\x1b[0m"), "a\\x0ab\\x1b[0m");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("\xff\x80"), "\\xff\\x80");
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(Printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(Printable("\xd0"), "\\xd0");                    // truncated
}

TEST(Printable, CutsLongText) {
  EXPECT_EQ(Printable(std::string(64, 'a')).size(), 64u);
  std::string cut = Printable(std::string(1000, 'a'));
  EXPECT_LE(cut.size(), kMaxPrintableLen);
  EXPECT_EQ(cut.substr(cut.size() - 3), "...");
  EXPECT_LE(Printable(std::string(1000, '\x01')).size(), kMaxPrintableLen);
}

TEST(LogLimit, CountsWhatItLeftOut) {
  LogLimit limit(std::chrono::hours(1));
  EXPECT_EQ(limit.Admit(), 0u);
  EXPECT_EQ(limit.Admit(), std::nullopt);
  LogLimit open(std::chrono::milliseconds(0));
  EXPECT_EQ(open.Admit(), 0u);
  EXPECT_EQ(open.Admit(), 0u);
}

}  // namespace
}  // namespace culvert
