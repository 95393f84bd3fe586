#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/settings.h"

namespace culvert {
namespace {

using testing::ElementsAre;

config::v1::Config Load(const std::string& text) {
  config::Loaded loaded = config::LoadText(text, "f", config::Process::kControlplane);
  EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : config::Format(loaded.problems[0]));
  return std::move(loaded.config);
}

TEST(EapSettings, AsConfigured) {
  const eap::Settings defaults = MakeEapSettings(Load(""));
  EXPECT_THAT(defaults.methods, ElementsAre(eap::Method::kMsChapV2, eap::Method::kMd5));
  EXPECT_EQ(defaults.server_name, "culvert");
  EXPECT_EQ(defaults.retries, 0u);
  const config::v1::Config config =
      Load("[auth]\nmethods = [\"eap\"]\neap_methods = [\"md5\"]\nretries = 3\n");
  EXPECT_THAT(MakeEapSettings(config).methods, ElementsAre(eap::Method::kMd5));
  EXPECT_EQ(MakeEapSettings(config).retries, 3u);
  EXPECT_THAT(MakePppSettings(config)->methods, ElementsAre(AuthMethod::kEap));
  EXPECT_EQ(MakePppSettings(config)->auth_retries, 3u);
}

TEST(EapSettings, NoEapMd5WhereMppeIsRequired) {
  const config::v1::Config config = Load("[ppp]\nmppe = \"require\"\n");
  EXPECT_THAT(MakeEapSettings(config).methods, ElementsAre(eap::Method::kMsChapV2));
}

}  // namespace
}  // namespace culvert
