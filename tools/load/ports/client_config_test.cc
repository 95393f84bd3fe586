#include "tools/load/ports/client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace culvert::load {
namespace {

using ::testing::HasSubstr;

Plan PlanOf(const Flags& flags) {
  Flags all = {{"server", {"192.0.2.1"}}, {"device", {"net_af_packet0,iface=nobody0"}}};
  for (const auto& [key, values] : flags) {
    all[key] = values;
  }
  const LoadedPlan loaded = LoadPlan("", all);
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  return loaded.plan;
}

TEST(ClientConfigTest, IsTheDataPlanes) {
  const ClientConfig made = MakeClientConfig(PlanOf({{"device_address", {"192.0.2.9/24"}},
                                                     {"worker_cores", {"2", "3"}},
                                                     {"idle", {"poll"}},
                                                     {"memory_mb", {"256"}}}));
  ASSERT_EQ(made.problem, "");
  const config::v1::Dataplane& dataplane = made.config.dataplane();
  ASSERT_EQ(dataplane.ports_size(), 1);
  EXPECT_EQ(dataplane.ports(0).device(), "net_af_packet0,iface=nobody0");
  EXPECT_EQ(dataplane.ports(0).addresses(0), "192.0.2.9/24");
  EXPECT_EQ(dataplane.worker_cores_size(), 2);
  EXPECT_EQ(dataplane.worker_cores(1), 3u);
  EXPECT_EQ(dataplane.idle(), "poll");
  EXPECT_EQ(dataplane.mbufs(), 8192u);
}

TEST(ClientConfigTest, SaysWhatIsWrong) {
  const auto problem = [](const Flags& flags) { return MakeClientConfig(PlanOf(flags)).problem; };
  EXPECT_THAT(problem({{"device", {"eth0"}}}), HasSubstr("neither a PCI address"));
  EXPECT_THAT(problem({{"device", {"net_af_packet0,iface=lo"}}}),
              HasSubstr("interface lo has the address 127.0.0.1"));
  EXPECT_THAT(problem({{"idle", {"poll"}}, {"main_core", {"1"}}}), HasSubstr("main_core"));
  EXPECT_THAT(problem({{"worker_cores", {"1", "1"}}}), HasSubstr("worker_cores"));
  Flags many;
  for (int i = 1; i <= 17; ++i) {
    many["server"].push_back("192.0.2." + std::to_string(i));
  }
  EXPECT_THAT(problem(many), HasSubstr("at most 16"));
}

}  // namespace
}  // namespace culvert::load
