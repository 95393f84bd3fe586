#include "dataplane/eal/huge_pages.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace culvert::dataplane {
namespace {

TEST(HugePages, CountsFreePagesOfAllSizes) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("huge_pages_" + std::to_string(getpid()));
  for (const auto& [name, free] : {std::pair{"hugepages-2048kB", 3}, {"hugepages-1048576kB", 1}}) {
    std::filesystem::create_directories(folder / name);
    std::ofstream(folder / name / "free_hugepages") << free << "\n";
  }
  EXPECT_EQ(FreeHugePagesMb(folder), 6U + 1024U);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(FreeHugePagesMb(folder), 0U);
}

TEST(HugePages, AutoTakesThemWhenThereAreEnough) {
  const auto choice = ChooseHugePages("auto", 512, 512);
  ASSERT_TRUE(choice.ok());
  EXPECT_TRUE(choice->use);
  EXPECT_EQ(choice->warning, "");
}

TEST(HugePages, AutoWarnsAndGoesOnWithout) {
  const auto choice = ChooseHugePages("auto", 100, 513);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_NE(choice->warning.find("sysctl -w vm.nr_hugepages=257"), std::string::npos);
}

TEST(HugePages, OffNeverUsesThemAndNeverWarns) {
  const auto choice = ChooseHugePages("off", 4096, 512);
  ASSERT_TRUE(choice.ok());
  EXPECT_FALSE(choice->use);
  EXPECT_EQ(choice->warning, "");
}

TEST(HugePages, RequireFailsWithTheRemedy) {
  const auto choice = ChooseHugePages("require", 0, 512);
  ASSERT_FALSE(choice.ok());
  EXPECT_NE(choice.status().message().find("sysctl -w vm.nr_hugepages=256"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace culvert::dataplane
