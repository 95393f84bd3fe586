// What the tests of the control plane as a whole share.
#pragma once

#include <absl/strings/str_cat.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "controlplane/control_plane.h"
#include "controlplane/dataplane_client/fake_dataplane.h"
#include "controlplane/settings.h"
#include "controlplane/shard/scripted_client.h"
#include "culvert/management/v1/management.grpc.pb.h"

namespace culvert {

constexpr uint32_t kLoopback = 0x7f000001;

// FreePort gives a TCP port of the loopback that nobody has.
inline uint16_t FreePort() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t len = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), len), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &len), 0);
  close(fd);
  return ntohs(address.sin_port);
}

// ControlPlaneTest: the control plane over real TCP and gRPC sockets, with a fake data plane.
class ControlPlaneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "culvert-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    port_ = FreePort();
    StartDataplane();
  }
  void TearDown() override {
    plane_.reset();
    dataplane_.reset();
    for (const char* name : {"/dp", "/mgmt", "/users"}) {
      unlink((folder_ + name).c_str());
    }
    rmdir(folder_.c_str());
  }

  void StartDataplane() { dataplane_ = std::make_unique<testing::FakeDataplane>(folder_ + "/dp"); }
  std::string ConfigurationText(const std::string& more) const {
    return absl::StrCat(
        "dataplane.socket = \"", folder_, "/dp\"\npptp.listen = [\"127.0.0.1:", port_, "\"]\n",
        "management.socket = \"", folder_, "/mgmt\"\nmetrics.listen = \"", metrics_listen_, "\"\n",
        "auth.methods = [\"pap\"]\nauth.users_file = \"/nowhere\"\nppp.mppe = \"deny\"\n", more);
  }
  config::v1::Config Configuration(const std::string& more = "") {
    config::Loaded loaded =
        config::LoadText(ConfigurationText(more), "test.toml", config::Process::kControlplane);
    for (const config::Problem& problem : loaded.problems) {
      ADD_FAILURE() << config::Format(problem);
    }
    return loaded.config;
  }
  absl::Status Start(const std::string& more = "") {
    constexpr std::string_view kPassword = "secret";
    Users users;
    users.Insert(
        "alice",
        {.password = Secret({reinterpret_cast<const uint8_t*>(kPassword.data()), kPassword.size()}),
         .nt_hash = {},
         .own_grants = std::make_unique<CallGrants>(grants_)});
    auto plane = ControlPlane::Start(Configuration(more), std::move(users),
                                     {.version = "test", .config_file = config_file_});
    if (!plane.ok()) {
      return plane.status();
    }
    plane_ = std::move(*plane);
    auto channel = grpc::CreateChannel(absl::StrCat("unix:", folder_, "/mgmt"),
                                       grpc::InsecureChannelCredentials());
    management_ = management::v1::Calls::NewStub(channel);
    dataplane_view_ = management::v1::Dataplane::NewStub(channel);
    return absl::OkStatus();
  }
  // Dial tries until the data plane is connected.
  uint16_t Dial(testing::ScriptedClient& client, uint16_t peer_call_id) {
    for (int i = 0; i < 100; ++i) {
      if (uint16_t call_id = client.Dial(peer_call_id)) {
        return call_id;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return 0;
  }
  std::vector<management::v1::Call> List() {
    grpc::ClientContext context;
    management::v1::ListCallsResponse response;
    EXPECT_TRUE(management_->List(&context, {}, &response).ok());
    return {response.calls().begin(), response.calls().end()};
  }
  bool Eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  uint64_t HandleOf(uint16_t call_id) {
    for (const auto& [handle, config] : dataplane_->Calls()) {
      if (config.call_id() == call_id) {
        return handle;
      }
    }
    return 0;
  }
  // LogIn goes through PPP until the directory has the call open.
  testing::PppPeer LogIn(uint16_t call_id, const std::string& password = "secret") {
    testing::PppPeer peer{.dataplane = dataplane_.get(),
                          .handle = HandleOf(call_id),
                          .user = "alice",
                          .password = password};
    peer.Run([&] { return peer.pap_refused || (!List().empty() && List()[0].state() == "open"); });
    return peer;
  }

  std::string folder_;
  std::string config_file_;     // for a reload
  std::string metrics_listen_;  // empty: nowhere
  uint16_t port_ = 0;
  std::unique_ptr<testing::FakeDataplane> dataplane_;
  std::unique_ptr<ControlPlane> plane_;
  std::unique_ptr<management::v1::Calls::Stub> management_;
  std::unique_ptr<management::v1::Dataplane::Stub> dataplane_view_;
  CallGrants grants_;  // alice's
};

}  // namespace culvert
