#include "controlplane/reload/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "controlplane/reload/config_keys.h"
#include "controlplane/reload/reloadable_keys.h"
#include "controlplane/shard/control_plane_fixture.h"

namespace culvert {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Loaded Text(const std::string& text) {
  return config::LoadText(text, "test.toml", config::Process::kControlplane);
}

TEST(ConfigKeys, NamesWhatDiffers) {
  const config::v1::Config before = Text("log.level = \"info\"\npools = []\n").config;
  config::v1::Config after = before;
  EXPECT_THAT(ChangedKeys(before, after), IsEmpty());
  after.mutable_log()->set_level("debug");
  after.mutable_policy()->mutable_user_case();
  after.add_pools()->set_name("new");
  after.mutable_radius()->set_tries(7);
  EXPECT_THAT(ChangedKeys(before, after), ElementsAre("log.level", "pools[0]", "radius.tries"));
  config::v1::Config third = after;
  third.mutable_pools(0)->add_ranges("10.0.0.0/24");
  third.add_pools();
  EXPECT_THAT(ChangedKeys(after, third), ElementsAre("pools[0].ranges", "pools[1]"));
}

TEST(ConfigKeys, PathsCoverWhatIsInThem) {
  EXPECT_TRUE(CoversKey("pools", "pools"));
  EXPECT_TRUE(CoversKey("pools", "pools[1].ranges"));
  EXPECT_TRUE(CoversKey("hooks", "hooks.ip_up"));
  EXPECT_FALSE(CoversKey("pptp.receive", "pptp.receive_window"));
  EXPECT_FALSE(CoversKey("pptp.pools", "pools"));
}

TEST(ConfigKeys, CopiesOneKey) {
  config::v1::Config from = Text("").config;
  from.mutable_log()->set_level("debug");
  from.add_pools()->set_name("more");
  from.mutable_policy()->set_sessions_per_user(3);
  from.mutable_policy()->set_address_rest_s(99);
  const config::v1::Config before = Text("").config;
  config::v1::Config to = before;
  EXPECT_TRUE(CopyKey("policy.sessions_per_user", from, &to));
  EXPECT_THAT(ChangedKeys(before, to), ElementsAre("policy.sessions_per_user"));
  EXPECT_TRUE(CopyKey("pools", from, &to));
  EXPECT_EQ(to.pools_size(), 2);
  EXPECT_FALSE(CopyKey("policy.nonsense", from, &to));
  EXPECT_FALSE(CopyKey("pools.name", from, &to));
}

TEST(ConfigKeys, AllReloadableOnesExist) {
  const config::v1::Config config = Text("").config;
  config::v1::Config to;
  for (const std::string_view key : ReloadableKeys()) {
    EXPECT_TRUE(CopyKey(key, config, &to)) << key;
  }
}

class ReloadTest : public ::testing::Test {
 protected:
  std::string file_;
  std::vector<config::Problem> users_;
  std::vector<config::v1::Config> applied_;
  Reload reload_{Text("").config,
                 {.read = [this] { return Text(file_); },
                  .read_users = [this] { return users_; },
                  .apply = [this](const config::v1::Config& now) { applied_.push_back(now); }}};
};

TEST_F(ReloadTest, AppliesWhatItCanAndNamesTheRest) {
  file_ = "log.level = \"debug\"\npolicy.user_case = \"ignore\"\nppp.mtu = 1300\n";
  auto outcome = reload_.Run();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(outcome->applied, ElementsAre("log.level", "ppp.mtu"));
  EXPECT_THAT(outcome->needs_restart, ElementsAre("policy.user_case"));
  ASSERT_EQ(applied_.size(), 1u);
  EXPECT_EQ(applied_[0].log().level(), "debug");
  EXPECT_EQ(applied_[0].policy().user_case(), "exact") << "waits for a restart";
  outcome = reload_.Run();
  EXPECT_THAT(outcome->applied, IsEmpty());
  EXPECT_THAT(outcome->needs_restart, ElementsAre("policy.user_case")) << "until it is done";
}

TEST_F(ReloadTest, AWrongFileChangesNothing) {
  file_ = "log.level = \"debug\"\nppp.mtu = 3\npolicy.nonsense = 1\n";
  const auto outcome = reload_.Run();
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("test.toml:2: ppp.mtu"));
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("test.toml:3: policy.nonsense"));
  EXPECT_THAT(applied_, IsEmpty());
}

TEST_F(ReloadTest, WhatIsRightOnlyAfterARestartIsRefused) {
  // In the file the pool is free for our new address; here ours is still the old one.
  file_ =
      "ppp.gateway_address = \"10.78.0.1\"\ndataplane.clients.addresses = [\"10.78.0.1/32\"]\n"
      "[[pools]]\nname = \"default\"\n"
      "ranges = [\"10.77.0.0-10.77.0.99\"]\n";
  const auto outcome = reload_.Run();
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("needs a restart"));
  EXPECT_THAT(applied_, IsEmpty());
}

TEST_F(ReloadTest, WrongUsersChangeNothing) {
  file_ = "log.level = \"debug\"\n";
  users_ = {{.file = "users", .line = 7, .key = "user.name", .message = "is missing"}};
  EXPECT_EQ(reload_.Run().status().message(), "users:7: user.name: is missing");
  EXPECT_THAT(applied_, IsEmpty());
  users_.clear();
  EXPECT_THAT(reload_.Run()->applied, ElementsAre("log.level"));
}

TEST_F(ReloadTest, AFloodOfProblemsIsCutShort) {
  for (int i = 0; i < 1000; ++i) {
    users_.push_back({.file = "users", .line = i + 1, .key = "user.name", .message = "is missing"});
  }
  const std::string message(reload_.Run().status().message());
  EXPECT_LT(message.size(), 5000u);
  EXPECT_THAT(message, HasSubstr("more; culvert-controlplane --check lists them"));
}

class ControlPlaneReload : public ControlPlaneTest {
 protected:
  void TearDown() override {
    ControlPlaneTest::TearDown();
    unlink(config_file_.c_str());
  }
  void Write(const std::string& more) {
    config_file_ = ::testing::TempDir() + "culvert-reload.toml";
    std::ofstream(config_file_) << ConfigurationText(more);
  }
  grpc::Status Ask(management::v1::ReloadResponse* response) {
    auto stub = management::v1::Configuration::NewStub(grpc::CreateChannel(
        absl::StrCat("unix:", folder_, "/mgmt"), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    return stub->Reload(&context, {}, response);
  }
};

TEST_F(ControlPlaneReload, PoolGrowsUnderACall) {
  const std::string one = "[[pools]]\nname = \"p\"\nranges = [\"10.77.0.10-10.77.0.10\"]\n";
  Write(one);
  ASSERT_TRUE(Start(one).ok());
  testing::ScriptedClient client(port_);
  client.Start();
  const uint16_t first = Dial(client, 1);
  ASSERT_NE(first, 0);
  LogIn(first);
  ASSERT_EQ(List().size(), 1u);
  const std::string id = List()[0].id();

  Write("[[pools]]\nname = \"p\"\nranges = [\"10.77.0.20-10.77.0.29\"]\n");
  management::v1::ReloadResponse response;
  const grpc::Status status = Ask(&response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.applied(), ElementsAre("pools[0].ranges"));
  EXPECT_THAT(response.needs_restart(), IsEmpty());

  const uint16_t second = Dial(client, 2);
  ASSERT_NE(second, 0);
  testing::PppPeer peer{.dataplane = dataplane_.get(),
                        .handle = HandleOf(second),
                        .user = "alice",
                        .password = "secret"};
  std::string address;
  peer.Run([&] {
    for (const management::v1::Call& call : List()) {
      if (call.id() != id && call.state() == "open") {
        address = call.client_address();
      }
    }
    return !address.empty();
  });
  EXPECT_THAT(address, HasSubstr("10.77.0.2"));
  for (const management::v1::Call& call : List()) {
    if (call.id() == id) {
      EXPECT_EQ(call.client_address(), "10.77.0.10") << "its address is in no pool any more";
      EXPECT_EQ(call.state(), "open");
    }
  }
}

TEST_F(ControlPlaneReload, ErrorsAreInTheAnswer) {
  Write("");
  ASSERT_TRUE(Start().ok());
  Write("ppp.mru = 7\n");
  management::v1::ReloadResponse response;
  const grpc::Status status = Ask(&response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("ppp.mru"));
}

TEST_F(ControlPlaneReload, NewTermsAreForNewCalls) {
  Write("");
  ASSERT_TRUE(Start().ok());
  testing::ScriptedClient client(port_);
  client.Start();
  ASSERT_NE(Dial(client, 1), 0);
  Write("pptp.dscp = 46\n[[pptp.rates]]\nupstream_kbps = 1000\n");
  management::v1::ReloadResponse response;
  ASSERT_TRUE(Ask(&response).ok());
  EXPECT_THAT(response.applied(), ElementsAre("pptp.dscp", "pptp.rates[0]"));
  ASSERT_NE(Dial(client, 2), 0);
  for (const auto& [handle, config] : dataplane_->Calls()) {
    EXPECT_EQ(config.outer().dscp(), config.peer_call_id() == 1 ? 0u : 46u);
    EXPECT_EQ(config.upstream_policer().committed_bps(),
              config.peer_call_id() == 1 ? 0u : 1000000u);
  }
}

}  // namespace
}  // namespace culvert
