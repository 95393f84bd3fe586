// Documents and dictionary say what the code does: no attribute is missing, none is too much.
#include "controlplane/radius/attributes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

namespace culvert::radius {
namespace {

using Names = std::map<std::string, std::string>;  // number, as in the table, to name

std::string NumberText(AttributeId id) {
  return id.vendor == 0 ? fmt::format("{}", id.type) : fmt::format("{}/{}", id.vendor, id.type);
}

Names InCode() {
  Names names;
#define A(symbol, vendor, type, name) names[NumberText(attr::symbol)] = name;
#include "controlplane/radius/attributes.def"
#undef A
  return names;
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Matches gives, of every line that matches, group 2 to group 1.
Names Matches(const std::string& text, const std::string& expression) {
  Names names;
  const std::regex regex(expression, std::regex::multiline);
  for (auto it = std::sregex_iterator(text.begin(), text.end(), regex);
       it != std::sregex_iterator(); ++it) {
    names[(*it)[2]] = (*it)[1];
  }
  return names;
}

class AttributeTableTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* folder = std::getenv("CULVERT_SOURCE_DIR")) {
      folder_ = folder;
      return;
    }
    // Build folders are inside the sources.
    for (auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
         folder.has_relative_path(); folder = folder.parent_path()) {
      if (std::filesystem::exists(folder / "docs/radius.md")) {
        folder_ = folder;
        return;
      }
    }
    FAIL() << "the sources are not around this program: say in CULVERT_SOURCE_DIR where they are";
  }
  std::string folder_;
};

TEST_F(AttributeTableTest, TheDocumentHasAllOfTheCodeAndNoOther) {
  EXPECT_EQ(Matches(Read(folder_ + "/docs/radius.md"), "^\\| ([\\w-]+) \\| ([0-9/]+) \\|"),
            InCode());
}

TEST_F(AttributeTableTest, TheDictionaryHasThoseOfNoRfcAndNoVendor) {
  const Names dictionary = Matches(Read(folder_ + "/config/dictionary.culvert"),
                                   "^ATTRIBUTE\\s+(\\S+)\\s+(\\d+)\\s+integer$");
  const Names documented =
      Matches(Read(folder_ + "/docs/radius.md"), "^\\| ([\\w-]+) \\| ([0-9/]+) \\| pppd \\|");
  EXPECT_EQ(dictionary.size(), 2u);
  EXPECT_EQ(dictionary, documented);
}

}  // namespace
}  // namespace culvert::radius
